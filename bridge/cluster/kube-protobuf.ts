import protobuf from 'protobufjs/light.js';

/** What the API calls its own protobuf; objects in it are wrapped with their type. */
export const KUBE_PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** Before the wrapper: "k8s" and a zero byte. */
const MAGIC_BYTES = 4;

/** The fields that the audit reads, by their numbers in Kubernetes' generated.proto; the rest is skipped. */
const root = protobuf.Root.fromJSON({
  nested: {
    Unknown: { fields: { typeMeta: { type: 'TypeMeta', id: 1 }, raw: { type: 'bytes', id: 2 } } },
    TypeMeta: { fields: { kind: { type: 'string', id: 2 } } },
    PartialObjectMetadataList: {
      fields: { metadata: { type: 'ListMeta', id: 1 }, items: { rule: 'repeated', type: 'Item', id: 2 } },
    },
    ListMeta: { fields: { resourceVersion: { type: 'string', id: 2 }, continue: { type: 'string', id: 3 } } },
    Item: { fields: { metadata: { type: 'ObjectMeta', id: 1 } } },
    ObjectMeta: {
      fields: {
        name: { type: 'string', id: 1 },
        namespace: { type: 'string', id: 3 },
        uid: { type: 'string', id: 5 },
        resourceVersion: { type: 'string', id: 6 },
      },
    },
    Status: { fields: { message: { type: 'string', id: 3 }, code: { type: 'int32', id: 6 } } },
  },
});
const Unknown = root.lookupType('Unknown');
const KINDS = {
  PartialObjectMetadataList: root.lookupType('PartialObjectMetadataList'),
  Status: root.lookupType('Status'),
} as const;

/**
 * A PartialObjectMetadataList (names, UIDs and versions alone) or a Status as its JSON would be: a page of 500 costs a
 * twentieth of its JSON, most of which is managedFields. Throws for any other kind and for broken bytes.
 */
export function decodeKubeProtobuf(bytes: Buffer): { readonly [key: string]: unknown } {
  const { typeMeta, raw } = Unknown.decode(bytes.subarray(MAGIC_BYTES)) as unknown as {
    readonly typeMeta: { readonly kind: string };
    readonly raw: Uint8Array;
  };
  const { kind } = typeMeta;
  if (kind !== 'PartialObjectMetadataList' && kind !== 'Status') throw new Error(`the API sent a ${kind} as protobuf`);
  return { kind, ...KINDS[kind].toObject(KINDS[kind].decode(raw), { arrays: true }) };
}
