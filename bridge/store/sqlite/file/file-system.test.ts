import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { networkFileSystem, refuseNetworkFileSystem } from './file-system.ts';

const MOUNTS = `/dev/vda / ext4 rw,relatime 0 0
server:/export /data nfs4 rw,vers=4.2 0 0
/dev/vdb /data/disk xfs rw 0 0
//nas/share /mnt/with\\040space cifs rw 0 0
me@host:/ /ssh fuse.sshfs rw 0 0
overlay /over fuse.fuse-overlayfs rw 0 0
share /later ext4 rw 0 0
share /later 9p rw,trans=virtio 0 0
`;

describe('the file system of a folder', () => {
  it.each([
    ['/data', 'nfs4'],
    ['/data/store', 'nfs4'],
    ['/mnt/with space/store', 'cifs'],
    ['/ssh/x', 'fuse.sshfs'],
    ['/later', '9p'],
    ['/data/disk/store', undefined],
    ['/database', undefined],
    ['/over/x', undefined],
    ['/var/lib', undefined],
  ])('of %s is the network file system %s', (folder, type) => {
    expect(networkFileSystem(folder, MOUNTS)).toBe(type);
  });

  it('is local for what is in no mount table', () => {
    expect(networkFileSystem('/var/lib', '')).toBeUndefined();
  });

  it('of this machine`s temporary folder is not refused', () => {
    expect(() => refuseNetworkFileSystem(tmpdir())).not.toThrow();
  });
});
