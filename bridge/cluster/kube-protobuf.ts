import { hash } from 'node:crypto';
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
    ListHead: { fields: { metadata: { type: 'ListMeta', id: 1 } } },
    ListItems: { fields: { items: { rule: 'repeated', type: 'Item', id: 2 } } },
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
const ListHead = root.lookupType('ListHead');
const ListItems = root.lookupType('ListItems');
const Status = root.lookupType('Status');
/** The first byte of a LIST: its metadata, as everybody writes the fields in the order of their numbers. */
const METADATA_TAG = 0x0a;

/**
 * A PartialObjectMetadataList (names, UIDs and versions alone) or a Status as its JSON would be: a page of 500 costs a
 * twentieth of its JSON, most of which is managedFields. Items are decoded when they are read. Throws for any other kind
 * and for broken bytes.
 */
export function decodeKubeProtobuf(bytes: Buffer): { readonly [key: string]: unknown } {
  const { kind, raw } = unwrapped(bytes);
  if (kind === 'Status') return { kind, ...plain(Status, raw) };
  if (kind !== 'PartialObjectMetadataList') throw new Error(`the API sent a ${kind} as protobuf`);
  return {
    kind,
    ...plain(ListHead, raw),
    get items() {
      return plain(ListItems, raw)['items'];
    },
  };
}

/** SHA-256 of the items of a PartialObjectMetadataList; undefined for anything else. */
export function itemsDigest(bytes: Buffer): string | undefined {
  const { kind, raw } = unwrapped(bytes);
  if (kind !== 'PartialObjectMetadataList' || raw[0] !== METADATA_TAG) return undefined;
  const reader = protobuf.Reader.create(raw);
  reader.skip(1);
  const length = reader.uint32();
  return hash('sha256', raw.subarray(reader.pos + length));
}

function unwrapped(bytes: Buffer): { readonly kind: string; readonly raw: Uint8Array } {
  const { typeMeta, raw } = Unknown.decode(bytes.subarray(MAGIC_BYTES)) as unknown as {
    readonly typeMeta: { readonly kind: string };
    readonly raw: Uint8Array;
  };
  return { kind: typeMeta.kind, raw };
}

function plain(type: protobuf.Type, bytes: Uint8Array): { readonly [key: string]: unknown } {
  return type.toObject(type.decode(bytes), { arrays: true });
}
