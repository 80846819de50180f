import { registerHooks } from 'node:module';

/** Preloaded by a bridge or a generator that is to have the toy sink: adds its line to SINKS, and nothing else anywhere. */
registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (!url.endsWith('/bridge/sinks/index.ts')) return loaded;
    const text = Buffer.from(loaded.source as Uint8Array).toString();
    const module = new URL('module.ts', import.meta.url).href;
    const source = text.replace(/^export const SINKS = \{\n/m, `import { toy } from '${module}';\n$&  toy,\n`);
    if (source === text) throw new Error('the toy sink found no SINKS to add its line to');
    return { ...loaded, source };
  },
});
