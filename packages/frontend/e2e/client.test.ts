import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { type Browser, chromium } from 'playwright-core'
import type { io } from 'socket.io-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CONFORMANCE } from './support/server'
import { CHROMIUM } from './support/stage'

const WAYS = { polling: ['polling'], websocket: ['websocket'], upgrade: ['polling', 'websocket'] }
const NUMBERS = [1, 16, 17, 50, 500]
const CASES = Object.keys(WAYS).flatMap((way) =>
  NUMBERS.map((number) => [way as keyof typeof WAYS, number] as const),
)

let server: ChildProcess
let browser: Browser
let url: string

beforeAll(async () => {
  const [program = '', ...flags] = CONFORMANCE
  server = spawn(program, flags, { stdio: ['ignore', 'pipe', 'inherit'] })
  if (server.stdout === null) throw new Error('The server says nothing')
  const [line] = (await once(createInterface(server.stdout), 'line')) as [string]
  url = line.replace('ready: ', '')
  browser = await chromium.launch(CHROMIUM)
})

afterAll(async () => {
  await browser.close()
  server.kill()
  await once(server, 'exit')
})

test.each(CASES)(
  'in a browser over %s, %i sends that waited are acked in order',
  async (way, number) => {
    const page = await browser.newPage()
    const bundle = new URL(
      '../node_modules/socket.io-client/dist/socket.io.min.js',
      import.meta.url,
    )
    await page.addScriptTag({ content: await readFile(bundle, 'utf8') })
    const found = await page.evaluate(
      async ({ server, transports, count }) => {
        const connect = (window as unknown as { io: typeof io }).io
        const socket = connect(server, { transports, autoConnect: false })
        const acked: number[] = []
        const sends = Array.from({ length: count }, (_, at) =>
          socket.emitWithAck('message-with-ack', at).then((answer: number) => acked.push(answer)),
        )
        const upgraded = new Promise<void>((done) => {
          socket.io.once('open', () => {
            const { engine } = socket.io
            if (transports.length === 1) done()
            else engine.once('upgrade', () => done())
          })
        })
        socket.connect()
        await Promise.all([...sends, upgraded])
        const name = socket.io.engine.transport.name
        socket.disconnect()
        return { acked, name }
      },
      { server: url, transports: WAYS[way], count: number },
    )
    await page.close()
    expect(found.acked).toEqual(Array.from({ length: number }, (_, at) => at))
    expect(found.name).toBe(WAYS[way].at(-1))
  },
)
