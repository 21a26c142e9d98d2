import { join } from 'node:path'
import { ROOT } from '../../src/lib/client/testing/serverProcess'

const BIN = join(ROOT, '.venv', 'bin')

/** The server as people start it, its local model included. */
export const SERVE = [join(BIN, 'rejoinder'), 'serve']

/** A program of one's own that has the chat mounted at `/chat`. */
export const MOUNTED = [
  join(BIN, 'python'),
  join(ROOT, 'packages', 'backend', 'tests', 'support', 'mounted.py'),
]

/** The Socket.IO server alone, nearly as the official suites meet it; it says where it is. */
export const CONFORMANCE = [
  join(BIN, 'python'),
  '-m',
  'rejoinder_socketio.conformance',
  '--port',
  '0',
  // A browser on a busy machine may need longer than the suites allow.
  '--ping-timeout',
  '20',
]
