import { registerHooks } from 'node:module';

/** Adds a line to SINKS when that is loaded, and nothing else anywhere: what a test exports as `name` from its `module.ts`. */
export function addSink(name: string, module: string): void {
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!url.endsWith('/bridge/sinks/index.ts')) return loaded;
      const text = Buffer.from(loaded.source as Uint8Array).toString();
      const source = text.replace(
        /^export const SINKS = \{\n/m,
        `import { ${name} } from '${module}';\n$&  ${name},\n`,
      );
      if (source === text) throw new Error(`${name}: there is no SINKS to add a line to`);
      return { ...loaded, source };
    },
  });
}
