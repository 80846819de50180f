export { DecodeError } from '../../bridge/otlp/decode/decode.ts';
export { decodeGeneric as decodeLogs } from '../otlp/decode-generic.ts';
