import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('../../../../../../', import.meta.url))
/** The server without the local model, which most tests have no use for. */
const SERVE = [join(ROOT, '.venv/bin/rejoinder'), 'serve', '--no-model']

interface Options {
  env?: Record<string, string>
  /** Takes the server's options for its place, and prints its address as the server does. */
  program?: string[]
}

/** The real server, as a process with data of its own; it can be killed and started again. */
export class ServerProcess {
  readonly #dataDir: string
  readonly #env: Record<string, string>
  readonly #program: string[]
  #process: ChildProcess | null = null
  #port = 0

  static async start(options: Options = {}): Promise<ServerProcess> {
    const server = new ServerProcess(await mkdtemp(join(tmpdir(), 'rejoinder-')), options)
    await server.start()
    return server
  }

  private constructor(dataDir: string, { env = {}, program = SERVE }: Options) {
    this.#dataDir = dataDir
    this.#env = env
    this.#program = program
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Again on the same port, with the same data. */
  async start(): Promise<void> {
    const [command = '', ...args] = this.#program
    const place = ['--host', '127.0.0.1', '--port', `${this.#port}`, '--data-dir', this.#dataDir]
    const child = spawn(command, [...args, ...place], {
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#process = child
    this.#port = await portOf(child)
  }

  /** Without a chance to put anything in order. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
    await rm(this.#dataDir, { recursive: true, force: true })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    this.#process = null
    if (!child || child.exitCode !== null) return
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }
}

function portOf(child: ChildProcess): Promise<number> {
  const lines: string[] = []
  return new Promise((resolve, reject) => {
    const read = (line: string) => {
      lines.push(line)
      const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1]
      if (port !== undefined) resolve(Number(port))
    }
    for (const stream of [child.stdout, child.stderr])
      if (stream) createInterface(stream).on('line', read)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`It ended with ${code}: ${lines.join('\n')}`)))
  })
}
