/** Numbers of an embedding: what memories are stored and compared with (kagent-api section 2.6). */
export const EMBEDDING_DIMENSIONS = 768;
