import { describe, expect, test } from 'vitest';
import { readRecord } from './records.ts';

const job = { kind: 'Job', apiVersion: 'batch/v1', metadata: { uid: 'u', name: 'n', resourceVersion: '7' } };

describe('the object of a record', () => {
  test.each(['ADDED', 'MODIFIED'])('%s of a watch is the live object', (type) => {
    expect(readRecord({ type, object: job })).toEqual({ deleted: false, object: job });
  });

  test('DELETED of a watch is the last state of an object that is gone', () => {
    expect(readRecord({ type: 'DELETED', object: job })).toEqual({ deleted: true, object: job });
  });

  test('a pulled object is the body itself, even when it has fields named type and object', () => {
    expect(readRecord(job)).toEqual({ deleted: false, object: job });
    const event = { ...job, kind: 'Event', type: 'Normal', object: { kind: 'Pod' } };
    expect(readRecord(event)).toEqual({ deleted: false, object: event });
  });

  test.each([
    ['text', 'a log line'],
    ['nothing', undefined],
    ['null', null],
    ['a list', [job]],
    ['bytes', new Uint8Array(3)],
    ['an ERROR of a watch', { type: 'ERROR', object: { kind: 'Status', apiVersion: 'v1', metadata: {} } }],
    ['a BOOKMARK of a watch', { type: 'BOOKMARK', object: job }],
    ['no kind', { ...job, kind: undefined }],
    ['an empty kind', { ...job, kind: '' }],
    ['a kind that is not text', { ...job, kind: 5 }],
    ['no apiVersion', { type: 'ADDED', object: { ...job, apiVersion: undefined } }],
    ['no metadata', { ...job, metadata: undefined }],
    ['no uid', { ...job, metadata: { ...job.metadata, uid: undefined } }],
    ['no name', { ...job, metadata: { ...job.metadata, name: undefined } }],
    ['no resourceVersion', { ...job, metadata: { ...job.metadata, resourceVersion: undefined } }],
  ])('%s is not a Kubernetes object', (_name, body) => {
    expect(readRecord(body)).toBeUndefined();
  });
});
