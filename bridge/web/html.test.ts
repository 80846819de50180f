import { expect, it } from 'vitest';

import { html } from './html.ts';

it('escapes what is put into text and attributes', () => {
  const evil = `<script>alert("x" + 'y')</script>&amp;`;
  expect(html`<a title="${evil}">${evil}</a>`.text).toBe(
    '<a title="&lt;script&gt;alert(&quot;x&quot; + &#39;y&#39;)&lt;/script&gt;&amp;amp;">' +
      '&lt;script&gt;alert(&quot;x&quot; + &#39;y&#39;)&lt;/script&gt;&amp;amp;</a>',
  );
});

it('puts nested templates and lists in as they are and leaves out what is absent', () => {
  const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`);
  const absent = [undefined, false, null] as const;
  expect(
    html`<ul>
      ${items}${absent}${0}
    </ul>`.text.replaceAll(/\s/g, ''),
  ).toBe('<ul><li>a</li><li>&lt;b&gt;</li>0</ul>');
});
