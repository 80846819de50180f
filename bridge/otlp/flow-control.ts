import type { Server } from '@grpc/grpc-js';
import type { Http2Server } from 'node:http2';

/** HTTP/2's default of 64 KiB stops the sender after a few objects; the node benchmark doubles with a large one. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/**
 * Enlarges the receive windows of new connections and streams. grpc-js has this option for clients only, so this
 * reaches for the HTTP/2 servers inside; without them all works, slower.
 */
export function enlargeWindows(server: Server): void {
  const inner = server as unknown as { readonly http2Servers?: ReadonlyMap<Http2Server, unknown> };
  for (const http2Server of inner.http2Servers?.keys() ?? []) {
    http2Server.on('session', (session) => {
      session.settings({ initialWindowSize: WINDOW_BYTES });
      session.setLocalWindowSize(WINDOW_BYTES);
    });
  }
}
