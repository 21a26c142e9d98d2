import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Builds the page that the servers of the tests will serve, the way `make run` does. */
export default async function setup(): Promise<void> {
  await promisify(execFile)('npm', ['run', '--silent', 'build:page'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    // In the runner's own environment the build would be one for tests, and the page is left behind for people.
    env: { ...process.env, NODE_ENV: 'production' },
  })
}
