import { existsSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';

import { errorText, UserError } from '../lib/errors.ts';
import type { LocalAnswers, LocalPath, LocalProblem, LocalRequest } from './protocol.ts';
import { MAX_SOCKET_PATH, socketPath } from './protocol.ts';

/** Asks the bridge that owns this store. Throws a UserError when none runs, or when it refuses. */
export async function askBridge<P extends LocalPath>(
  storePath: string,
  path: P,
  request: LocalRequest<P>,
): Promise<LocalAnswers[P]> {
  const { status, body } = await post(storePath, path, JSON.stringify(request)).catch((error: unknown) => {
    throw unreachable(storePath, error);
  });
  const answer = JSON.parse(body) as unknown;
  if (status === 200) return answer as LocalAnswers[P];
  const { message, next } = (answer as { error: LocalProblem }).error;
  throw new UserError(message, next);
}

function post(storePath: string, path: string, body: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const socket = socketPath(storePath);
    const options = { socketPath: socket, path, method: 'POST', headers: { 'content-type': 'application/json' } };
    const request = httpRequest(options, (response) => {
      text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

const ELSEWHERE =
  'Start the bridge, or name the store of the one that runs with --store PATH or --config FILE, on the same machine. In Kubernetes: kubectl exec into the pod of the bridge.';

function unreachable(storePath: string, error: unknown): UserError {
  const socket = socketPath(storePath);
  if (!existsSync(storePath)) return new UserError(`there is no store at ${storePath}`, ELSEWHERE);
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH)
    return new UserError(`the path ${socket} is too long for a socket`, 'Choose a shorter store.path.');
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EACCES' || code === 'EPERM')
    return new UserError(
      `${socket} may not be opened by this user`,
      'Run the command as the user that runs the bridge.',
    );
  if (code === 'ENOENT' || code === 'ECONNREFUSED')
    return new UserError(`no bridge runs with the store ${storePath}`, ELSEWHERE);
  return new UserError(`the bridge did not answer: ${errorText(error)}`, "Look at the bridge's log.");
}
