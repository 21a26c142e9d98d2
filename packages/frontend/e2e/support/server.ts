import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url))
const BIN = path.join(ROOT, '.venv', 'bin')
const SERVE = [path.join(BIN, 'rejoinder'), 'serve']
/** A program of one's own that has the chat mounted at `/chat`. */
export const MOUNTED = [
  path.join(BIN, 'python'),
  path.join(ROOT, 'packages', 'backend', 'tests', 'support', 'mounted.py'),
]
const ADDRESS = /http:\/\/127\.0\.0\.1:(\d+)/

/** A server process with a data directory of its own; it can be killed and started again. */
export class Server {
  readonly #dataDir: string
  readonly #env: Record<string, string>
  readonly #program: string[]
  #process: ChildProcess | undefined
  #port = 0
  readonly #output: string[] = []

  private constructor(dataDir: string, env: Record<string, string>, program: string[]) {
    this.#dataDir = dataDir
    this.#env = env
    this.#program = program
  }

  static async start(env: Record<string, string> = {}, program = SERVE): Promise<Server> {
    const server = new Server(await mkdtemp(path.join(tmpdir(), 'rejoinder-e2e-')), env, program)
    await server.start()
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Starts it; the second time on the same port and the same data. */
  async start(): Promise<void> {
    const [command = '', ...args] = this.#program
    const place = ['--host', '127.0.0.1', '--port', String(this.#port)]
    const child = spawn(command, [...args, ...place, '--data-dir', this.#dataDir], {
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#process = child
    this.#port = await this.#addressOf(child)
  }

  /** As a power cut would: without a chance to say goodbye. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
    await rm(this.#dataDir, { recursive: true, force: true })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (!child || child.exitCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  #addressOf(child: ChildProcess): Promise<number> {
    return new Promise((resolve, reject) => {
      const read = (line: string) => {
        this.#output.push(line)
        const port = ADDRESS.exec(line)?.[1]
        if (port !== undefined) resolve(Number(port))
      }
      for (const stream of [child.stdout, child.stderr]) {
        if (stream) createInterface({ input: stream }).on('line', read)
      }
      child.once('error', reject)
      child.once('exit', (code) => {
        reject(new Error(`The server ended with ${code}:\n${this.#output.slice(-20).join('\n')}`))
      })
    })
  }
}
