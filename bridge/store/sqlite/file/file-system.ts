import { readFileSync, realpathSync } from 'node:fs';
import { UserError } from '../../../lib/errors.ts';

/**
 * File systems on which locks or shared memory are not those of one machine: SQLite's WAL can lose or mix commits
 * there. FUSE is refused by name, because fuse.fuse-overlayfs and the like are local.
 */
const NETWORK =
  /^(nfs4?|cifs|smb3|smbfs|9p|afs|ceph|coda|lustre|gpfs|beegfs|glusterfs|gfs2|ocfs2|davfs|vboxsf|prl_fs|vmhgfs|fuse\.(sshfs|glusterfs|ceph|ceph-fuse|s3fs|rclone|gcsfuse|blobfuse2?|mountpoint-s3|goofys|JuiceFS|juicefs|seaweedfs|moosefs|davfs|smbnetfs|vmhgfs-fuse))$/;

/** Type of the network file system that holds `folder` by the text of /proc/mounts; undefined for a local one. */
export function networkFileSystem(folder: string, mounts: string): string | undefined {
  let best = { length: -1, type: '' };
  for (const line of mounts.split('\n')) {
    const [, escaped, type] = line.split(' ');
    if (escaped === undefined || type === undefined) continue;
    const mount = escaped.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
    const inside = mount === '/' || folder === mount || folder.startsWith(`${mount}/`);
    // Of two mounts on one folder the later one is on top.
    if (inside && mount.length >= best.length) best = { length: mount.length, type };
  }
  return NETWORK.test(best.type) ? best.type : undefined;
}

/** Throws a UserError when `folder` lies on a network file system. Where there is no /proc/mounts nothing is refused. */
export function refuseNetworkFileSystem(folder: string): void {
  const type = networkFileSystem(realpathSync(folder), readMounts());
  if (type === undefined) return;
  throw new UserError(
    `the store's folder ${folder} is on a network file system (${type})`,
    'SQLite needs the locks and shared memory of one machine: use a local disk or a block volume (ReadWriteOnce)',
  );
}

function readMounts(): string {
  try {
    return readFileSync('/proc/mounts', 'utf8');
  } catch {
    return '';
  }
}
