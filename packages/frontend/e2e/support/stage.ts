import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
} from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { ServerProcess } from '../../src/lib/client/testing/serverProcess'
import { Person, type Session } from './person'
import { SERVE } from './server'

export const CHROMIUM = {
  executablePath: '/usr/bin/chromium',
  args: [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--disable-smooth-scrolling',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
}

export interface PersonOptions extends BrowserContextOptions {
  /** Signed in already, as on a second device of the same user. */
  session?: Session
}

/** What is to be seen where a test failed, since nobody can look there any more. */
async function tell(people: readonly Person[]): Promise<void> {
  for (const person of people) {
    if (person.page.isClosed()) continue
    process.stderr.write(`${await person.describe().catch(String)}\n`)
  }
}

export interface Stage {
  readonly server: ServerProcess
  person(options?: PersonOptions): Promise<Person>
  /** Another tab of somebody's browser. */
  tab(person: Person): Promise<Person>
}

/**
 * A server and a browser for the tests of one file, and as many people as each of them needs.
 * A test fails when a browser complained of anything that it did not foresee.
 */
export function setStage(env: Record<string, string> = {}, program = SERVE): Stage {
  let server: ServerProcess | undefined
  let browser: Browser | undefined
  let people: Person[] = []

  beforeAll(async () => {
    server = await ServerProcess.start({ env: { REJOINDER_GUEST_BURST: '1000', ...env }, program })
    browser = await chromium.launch(CHROMIUM)
  })
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await tell(people)
    const problems = people.flatMap((person) => person.problems)
    await Promise.all(
      [...new Set(people.map(({ context }) => context))].map((each) => each.close()),
    )
    people = []
    expect(problems).toEqual([])
  })
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
  })

  const sit = async (context: BrowserContext) => {
    const person = new Person(await context.newPage(), context)
    people.push(person)
    return person
  }

  const stage: Stage = {
    get server() {
      if (!server) throw new Error('The stage stands only while tests run')
      return server
    },
    async person({ session, ...options } = {}) {
      if (!browser) throw new Error('The stage stands only while tests run')
      const context = await browser.newContext({
        baseURL: stage.server.url,
        locale: 'en-US',
        reducedMotion: 'reduce',
        ...options,
      })
      context.setDefaultTimeout(20_000)
      if (session) {
        await context.addInitScript((value) => {
          localStorage.setItem('rejoinder.session', value)
        }, JSON.stringify(session))
      }
      return sit(context)
    },
    tab: ({ context }) => sit(context),
  }
  return stage
}
