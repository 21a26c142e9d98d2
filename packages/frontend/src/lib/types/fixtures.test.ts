import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { CLIENT_EVENTS, SERVER_EVENTS } from './socket'

// The examples that the Python tests hold against the catalogue; here they are held against the generated types.

interface Fixture {
  event: string
  direction: 'client' | 'server'
  payload: unknown
  ack?: unknown
}

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const FOLDER = path('../../../../../protocol/fixtures/')
const TSC = path('../../../node_modules/.bin/tsc')
const OPTIONS = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--skipLibCheck']
const MODULES = ['--module', 'esnext', '--moduleResolution', 'bundler', '--target', 'es2023']

async function fixtures(): Promise<Fixture[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json'))
  return Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(FOLDER, name), 'utf8')) as Fixture),
  )
}

/** A module in which each example is given its type. */
function moduleOf(examples: Fixture[]): string {
  const lines = [
    `import type * as wire from ${JSON.stringify(path('./socket'))}`,
    'type Payload<E, N extends keyof E> = E[N] extends (payload: infer P, ...rest: never) => void ? P : never',
    'type Reply<N extends keyof wire.ClientToServerEvents> =',
    '  Parameters<NonNullable<Parameters<wire.ClientToServerEvents[N]>[1]>>[0]',
  ]
  for (const [place, { event, direction, payload, ack }] of examples.entries()) {
    const events = direction === 'client' ? 'ClientToServerEvents' : 'ServerToClientEvents'
    const text = JSON.stringify(payload)
    lines.push(`export const payload${place}: Payload<wire.${events}, '${event}'> = ${text}`)
    if (ack !== undefined)
      lines.push(`export const reply${place}: Reply<'${event}'> = ${JSON.stringify(ack)}`)
  }
  return lines.join('\n')
}

/** What the compiler says of a module; empty for nothing. */
async function complaints(source: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rejoinder-types-'))
  try {
    await writeFile(join(folder, 'fixtures.ts'), source)
    const run = promisify(execFile)(TSC, [...OPTIONS, ...MODULES, 'fixtures.ts'], { cwd: folder })
    return await run.then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    )
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe('the fixtures', () => {
  it('have an example of each event', async () => {
    const all = await fixtures()
    const named = (direction: string) =>
      new Set(all.filter((each) => each.direction === direction).map(({ event }) => event))
    expect(named('client')).toEqual(new Set(CLIENT_EVENTS))
    expect(named('server')).toEqual(new Set(SERVER_EVENTS))
  })

  it('are what the generated types say', async () => {
    expect(await complaints(moduleOf(await fixtures()))).toBe('')
  }, 60_000)

  it('would be noticed if they were not', async () => {
    const wrong: Fixture = { event: 'typing:start', direction: 'server', payload: { roomId: 1 } }
    expect(await complaints(moduleOf([wrong]))).toContain('not assignable')
  }, 60_000)
})
