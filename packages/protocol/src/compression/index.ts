// The compression codecs of record batches.
export { Codec, compress, decompress } from './codecs.ts'
