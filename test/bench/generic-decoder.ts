import { registerHooks } from 'node:module';

/** Preloaded into a server: its ingest decodes with the generic decoder instead of the bridge's own. */
const generic = new URL('./generic-logs.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const isIngest = context.parentURL?.endsWith('/bridge/ingest/batch.ts') === true;
    return isIngest && specifier.endsWith('/decode/decode.ts')
      ? { url: generic, shortCircuit: true }
      : next(specifier, context);
  },
});
