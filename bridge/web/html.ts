/** Markup that is safe to put into a page as it is. Only `html` makes it. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Child = Html | string | number | undefined | null | false | readonly Child[];

/** A template whose interpolations are escaped unless they are `Html`. Attributes must stand in double quotes. */
export function html(parts: TemplateStringsArray, ...children: readonly Child[]): Html {
  return new Html(parts.map((part, index) => part + render(children[index])).join(''));
}

function render(child: Child): string {
  if (child === undefined || child === null || child === false) return '';
  if (child instanceof Html) return child.text;
  if (typeof child === 'string' || typeof child === 'number') return escape(String(child));
  return child.map(render).join('');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}
