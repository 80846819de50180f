import { addSink } from './add-sink.ts';

/** Preloaded by a bridge or a generator that is to have the toy sink. */
addSink('toy', new URL('module.ts', import.meta.url).href);
