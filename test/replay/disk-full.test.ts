import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Releases } from '../../bridge/lib/releases.ts';
import { openStore } from '../../bridge/store/sqlite/open.ts';
import type { Bridge } from '../harness/bridge.ts';
import { startBridge } from '../harness/bridge.ts';
import { until } from '../harness/kube.ts';
import type { SmallDisk } from '../harness/small-disk.ts';
import { mountSmallDisk } from '../harness/small-disk.ts';
import type { Vendors } from '../vendors/start-vendors.ts';
import { startVendors } from '../vendors/start-vendors.ts';
import { cronJob, job, pings, send, sendUntilTaken } from './made-up.ts';

const NEEDS = 'a full disk needs the right to mount a tmpfs (root)';
const releases = new Releases();
let disk: SmallDisk | undefined;
let count = 100;
let vendors: Vendors;
let bridge: Bridge;
const began = Date.now();

describe('a full disk', () => {
  beforeAll(async () => {
    disk = mountSmallDisk(8);
    if (disk === undefined) return;
    releases.add(() => disk?.remove());
    vendors = await startVendors();
    releases.add(() => vendors.close());
    bridge = await startBridge({ vendorsUrl: vendors.url, vendorKey: vendors.key, dataDir: disk.folder });
    releases.add(async () => void (await bridge.stop()));
    await sendUntilTaken(bridge.endpoint, cronJob(began), job(1, began - 5000), job(1, began - 5000, began - 3000));
    await until('all is reported', () => pings(vendors.requests).length >= 2);
  });

  beforeEach(({ skip }) => skip(disk === undefined, NEEDS));

  it('refuses upstream, says so once, is not ready, and goes on by itself when there is room', async () => {
    disk?.fill();
    const refused = await until('the write-ahead log is full', async () => {
      const long = began - 9e8;
      const reply = await send(bridge.endpoint, job(++count, long, long + 1000));
      return reply.code === status.OK ? undefined : reply;
    });
    expect(refused).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringContaining('full') as string });
    for (let n = 0; n < 5; n++) {
      const { code } = await send(bridge.endpoint, cronJob(began), job(2, began - 2000));
      expect(code).toBe(status.UNAVAILABLE);
    }
    const ready = await until('not ready', async () => {
      const answer = await fetch(`${bridge.pageUrl}readyz`);
      return answer.status === 503 && ((await answer.json()) as { commit: string });
    });
    expect(ready.commit).toContain('full');
    const complaints = () => logLines().filter((line) => line.includes('the store cannot commit')).length;
    expect(complaints()).toBe(1);
    disk?.free();
    await sendUntilTaken(bridge.endpoint, cronJob(began), job(2, began - 2000));
    await until('ready again', async () => (await fetch(`${bridge.pageUrl}readyz`)).status === 200);
    await until('the run is reported', () => pings(vendors.requests).includes('run 02'));
    expect(complaints()).toBe(1);
    expect(pings(vendors.requests).filter((ping) => ping === 'run 02')).toHaveLength(1);
  });

  it('that comes while a delivery is under way repeats and loses none', async () => {
    vendors.inject({ match: 'state=complete', delayMs: 7000, times: 1 });
    await sendUntilTaken(bridge.endpoint, job(2, began - 2000, began - 1000));
    await until('the delivery is claimed', async () => {
      const { items } = (await (await fetch(`${bridge.pageUrl}api/deliveries?status=sending`)).json()) as {
        items: unknown[];
      };
      return items.length > 0;
    });
    disk?.fill();
    await until('the vendor has answered', () => pings(vendors.requests).includes('complete 02'));
    await until('the settlement failed', () => logLines().some((line) => line.includes('"msg":"the outbox failed')));
    disk?.free();
    await until('it is settled', async () => {
      const { items } = (await (await fetch(`${bridge.pageUrl}api/deliveries?limit=1`)).json()) as {
        items: { status: string }[];
      };
      return items[0]?.status === 'delivered';
    });
    expect(pings(vendors.requests).filter((ping) => ping === 'complete 02')).toHaveLength(1);
  });
});

it('a full disk at the start is said with what to do, and with room again the store opens as it was', ({ skip }) => {
  const small = mountSmallDisk(4);
  skip(small === undefined, NEEDS);
  releases.add(() => small?.remove());
  const open = (): void => openStore(join(small!.folder, 'bridge.db'), { now: () => began }).close();
  open();
  small!.fill();
  const next = expect.stringMatching(/^Free room on its disk, or enlarge the volume/) as string;
  expect(open).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/cannot be opened: .*full/) as string, next }),
  );
  small!.free();
  open();
});

afterAll(() => releases.release());

function logLines(): string[] {
  return readFileSync(bridge.logFile, 'utf8').split('\n');
}
