import protobuf from 'protobufjs/light.js';

/** Encodes as an API server does, by the numbers of Kubernetes' generated.proto; fields that the bridge skips included. */
const root = protobuf.Root.fromJSON({
  nested: {
    Unknown: { fields: { typeMeta: { type: 'TypeMeta', id: 1 }, raw: { type: 'bytes', id: 2 } } },
    TypeMeta: { fields: { apiVersion: { type: 'string', id: 1 }, kind: { type: 'string', id: 2 } } },
    List: { fields: { metadata: { type: 'ListMeta', id: 1 }, items: { rule: 'repeated', type: 'Item', id: 2 } } },
    ListMeta: {
      fields: {
        resourceVersion: { type: 'string', id: 2 },
        continue: { type: 'string', id: 3 },
        remainingItemCount: { type: 'int64', id: 4 },
      },
    },
    Item: { fields: { metadata: { type: 'ObjectMeta', id: 1 } } },
    ObjectMeta: {
      fields: {
        name: { type: 'string', id: 1 },
        generateName: { type: 'string', id: 2 },
        namespace: { type: 'string', id: 3 },
        uid: { type: 'string', id: 5 },
        resourceVersion: { type: 'string', id: 6 },
        generation: { type: 'int64', id: 7 },
        finalizers: { rule: 'repeated', type: 'string', id: 14 },
        managedFields: { rule: 'repeated', type: 'bytes', id: 17 },
      },
    },
    Status: {
      fields: {
        status: { type: 'string', id: 2 },
        message: { type: 'string', id: 3 },
        reason: { type: 'string', id: 4 },
        code: { type: 'int32', id: 6 },
      },
    },
  },
});

interface Meta {
  readonly [field: string]: unknown;
  readonly managedFields?: readonly object[];
}

/** A PartialObjectMetadataList of these metadata. */
export function encodeMetadataList(list: object, items: readonly { readonly metadata: Meta }[]): Buffer {
  const metadata = items.map(({ metadata }) => ({
    metadata: {
      ...metadata,
      managedFields: metadata.managedFields?.map((field) => Buffer.from(JSON.stringify(field))),
    },
  }));
  return wrapped('meta.k8s.io/v1', 'PartialObjectMetadataList', 'List', { metadata: list, items: metadata });
}

/** How the API refuses. */
export function encodeStatus(status: { readonly message: string; readonly code: number }): Buffer {
  return wrapped('v1', 'Status', 'Status', { status: 'Failure', ...status });
}

export function wrapped(apiVersion: string, kind: string, type: string, message: object): Buffer {
  const raw = root.lookupType(type).encode(message).finish();
  const bytes = root.lookupType('Unknown').encode({ typeMeta: { apiVersion, kind }, raw }).finish();
  return Buffer.concat([Buffer.from('k8s\0'), bytes]);
}
