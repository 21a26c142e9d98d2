import type { BrowserContext } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { expectAccessible } from './support/axe'
import type { Person } from './support/person'
import { storedIn } from './support/room'
import { type Stage, setStage } from './support/stage'
import { isSend, isWordOf, Wire } from './support/wire'

const stage = setStage()

/** Somebody in a room, with an answer to `before`. */
async function settled(person: Person, path = '/'): Promise<string> {
  await person.signIn('Ann', path)
  const address = await person.startChat()
  await person.say('before')
  await person.messages('complete').nth(1).waitFor()
  return address
}

/** Where each tab has a connection of its own. */
const APART = '/?shareAcrossTabs=false'

async function contentsIn({ server }: Stage, address: string): Promise<string[]> {
  const stored = await storedIn(server.url, address)
  return stored.filter(({ role }) => role === 'user').map(({ content }) => content)
}

/** Until the room has so many messages of people. */
async function stored(where: Stage, address: string, ...contents: string[]): Promise<void> {
  await expect
    .poll(() => contentsIn(where, address), { timeout: 20_000, interval: 100 })
    .toEqual(contents)
}

async function goOffline(person: Person): Promise<void> {
  person.foreseeOutage()
  person.foresee(/ERR_INTERNET_DISCONNECTED/)
  await person.context.setOffline(true)
  await person.banner.waitFor()
}

test('what is written offline is there after a reload, and is sent once and in order', async () => {
  const ann = await stage.person()
  const address = await settled(ann)
  await goOffline(ann)
  for (const text of ['one', 'two', 'three']) await ann.say(text)
  await ann.pending.nth(2).waitFor()
  await ann.outboxNote.getByText('goes out once the connection is back').waitFor()
  await expectAccessible(ann.page)
  await ann.page.reload().catch(() => undefined)
  await ann.context.setOffline(false)
  await ann.page.goto(address)
  await stored(stage, address, 'before', 'one', 'two', 'three')
  await ann.messages('complete').nth(7).waitFor()
  expect(await ann.pending.count()).toBe(0)
  expect(await ann.outboxNote.textContent()).toBe('')
})

test('what is written offline goes out as soon as the network is back', async () => {
  const ann = await stage.person()
  const address = await settled(ann)
  await goOffline(ann)
  await ann.say('one')
  await ann.say('two')
  await ann.pending.nth(1).waitFor()
  expect(await contentsIn(stage, address)).toEqual(['before'])
  await ann.context.setOffline(false)
  await ann.banner.waitFor({ state: 'detached' })
  await stored(stage, address, 'before', 'one', 'two')
  await ann.messages('complete').nth(5).waitFor()
})

test('a tab that is closed in the middle of a send: it is sent once, whether it arrived or not', async () => {
  const ann = await stage.person()
  const wire = await Wire.between(ann)
  const address = await settled(ann)
  const isWordOfArrived = isWordOf('arrived')
  wire.passesBack = (frame) => !isWordOfArrived(frame)
  await ann.say('arrived')
  await stored(stage, address, 'before', 'arrived')
  await ann.pending.waitFor()
  wire.passes = (frame) => !isSend(frame)
  await ann.say('lost')
  await ann.pending.nth(1).waitFor()
  await ann.page.close()

  const again = await stage.tab(ann)
  await again.open(address)
  await stored(stage, address, 'before', 'arrived', 'lost')
  await again.messages('complete').nth(5).waitFor()
  expect(await again.pending.count()).toBe(0)
})

test('a room that is not open any more gets what was written there', async () => {
  const ann = await stage.person()
  const address = await settled(ann)
  await goOffline(ann)
  await ann.say('left behind')
  await ann.pending.waitFor()
  await ann.page.close()
  await ann.context.setOffline(false)

  const again = await stage.tab(ann)
  await again.page.goto('/')
  await stored(stage, address, 'before', 'left behind')
})

test('another user of the same browser neither sees nor sends it', async () => {
  const ann = await stage.person()
  const address = await settled(ann)
  await goOffline(ann)
  await ann.say('for Ann to send')
  await ann.pending.waitFor()
  const session = JSON.stringify(await ann.session())
  await ann.page.close()
  await ann.context.setOffline(false)

  const bob = await stage.tab(ann)
  await bob.page.goto('/')
  await bob.page.evaluate(() => localStorage.clear())
  await bob.page.reload()
  await bob.signIn('Bob')
  await bob.open(address)
  await bob.say('mine')
  await stored(stage, address, 'before', 'mine')
  expect(await bob.message('for Ann to send').count()).toBe(0)

  await bob.page.evaluate((value) => localStorage.setItem('rejoinder.session', value), session)
  await bob.page.reload()
  await stored(stage, address, 'before', 'mine', 'for Ann to send')
})

test('a server that is killed with a message on its way gets it once when it is back', async () => {
  const ann = await stage.person()
  ann.foreseeOutage()
  const wire = await Wire.between(ann)
  const address = await settled(ann)
  const isWordOfArrived = isWordOf('arrived')
  wire.passesBack = (frame) => !isWordOfArrived(frame)
  await ann.say('arrived')
  await stored(stage, address, 'before', 'arrived')
  wire.passes = (frame) => !isSend(frame)
  await ann.say('lost')
  await ann.pending.nth(1).waitFor()
  await stage.server.kill()
  await ann.banner.waitFor()
  wire.passes = () => true
  wire.passesBack = () => true
  await stage.server.start()
  await ann.banner.waitFor({ state: 'detached' })
  await stored(stage, address, 'before', 'arrived', 'lost')
  await ann.pending.first().waitFor({ state: 'detached' })
})

describe('two tabs that do not share a connection', () => {
  test('of which the newer took over: it sends what is written in the older, which shows it', async () => {
    const older = await stage.person()
    const address = await settled(older, APART)
    const newer = await stage.tab(older)
    const wire = await Wire.between(newer)
    await newer.open(address)
    await older.dialog.waitFor()
    await older.page.keyboard.press('Escape')
    await older.say('from the older')
    await stored(stage, address, 'before', 'from the older')
    await older.pending.waitFor({ state: 'detached' })
    await newer.message('from the older').first().waitFor()
    expect(wire.sent).toEqual(['from the older'])
    expect(await older.message('from the older').count()).toBe(1)
  })
})

describe('two tabs that are both connected', () => {
  const open = setStage({ REJOINDER_CONNECTION_POLICY: 'multi' })

  async function twoTabs(prepare: (context: BrowserContext) => Promise<void>) {
    const one = await open.person()
    await prepare(one.context)
    const two = await open.tab(one)
    const wires = [await Wire.between(one), await Wire.between(two)] as const
    const address = await settled(one, APART)
    await two.open(address)
    await two.messages('complete').nth(1).waitFor()
    return { one, two, wires, address }
  }

  /** Writes in both by turns, and expects that each message is stored once; what was sent, sorted. */
  async function writeByTurns({ one, two, wires, address }: Awaited<ReturnType<typeof twoTabs>>) {
    const texts = ['a1', 'b1', 'a2', 'b2', 'a3', 'b3']
    for (const text of texts) await (text.startsWith('a') ? one : two).say(text)
    await stored(open, address, 'before', ...texts)
    for (const tab of [one, two]) {
      await tab.message('b3').first().waitFor()
      await expect.poll(() => tab.pending.count()).toBe(0)
    }
    return [...wires[0].sent, ...wires[1].sent].sort()
  }
  const EACH = ['a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'before']

  test('send each message once', async () => {
    expect(await writeByTurns(await twoTabs(() => Promise.resolve()))).toEqual(EACH)
  })

  test('store each message once where there are no locks', async () => {
    const sent = await writeByTurns(
      await twoTabs(async (context) => {
        await context.addInitScript(() => {
          Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })
        })
      }),
    )
    // A tab that is late to renew its lease may send for a moment what the other one sends, too.
    expect([...new Set(sent)]).toEqual(EACH)
  })

  test('go on when the one that sends is closed in the middle of it', async () => {
    const { one, two, wires, address } = await twoTabs(() => Promise.resolve())
    await one.say('first')
    await stored(open, address, 'before', 'first')
    wires[0].passes = (frame) => !isSend(frame)
    await one.say('second')
    await two.message('second').waitFor()
    await two.say('third')
    await two.pending.nth(1).waitFor()
    expect(await contentsIn(open, address)).toEqual(['before', 'first'])
    await one.page.close()
    await stored(open, address, 'before', 'first', 'second', 'third')
    expect(wires[1].sent).toEqual(['second', 'third'])
  })
})

describe('a browser without its database', () => {
  const WAYS: Record<string, () => void> = {
    'that has none': () => {
      Object.defineProperty(window, 'indexedDB', { value: undefined })
    },
    'that forbids it': () => {
      IDBFactory.prototype.open = () => {
        throw new DOMException('no', 'SecurityError')
      }
    },
    'that is full': () => {
      const refuse = () => {
        throw new DOMException('full', 'QuotaExceededError')
      }
      Object.assign(IDBObjectStore.prototype, { add: refuse, put: refuse })
    },
  }

  test.each(Object.entries(WAYS))(
    '%s sends all the same, and says what it cannot',
    async (_, way) => {
      const ann = await stage.person()
      await ann.context.addInitScript(way)
      const address = await settled(ann)
      await goOffline(ann)
      await ann.say('one')
      await ann.outboxNote.getByText('leave the page open').waitFor()
      await expectAccessible(ann.page)
      await ann.context.setOffline(false)
      await stored(stage, address, 'before', 'one')
      await expect.poll(() => ann.outboxNote.textContent()).toBe('')
    },
  )

  test('keeps it for a room that is not open any more, as long as the page lives', async () => {
    const ann = await stage.person()
    await ann.context.addInitScript(WAYS['that has none'] ?? (() => undefined))
    const address = await settled(ann)
    await goOffline(ann)
    await ann.say('left behind')
    await ann.pending.waitFor()
    await ann.page.evaluate(() => {
      location.hash = '#/'
    })
    await ann.composer.waitFor({ state: 'detached' })
    await ann.context.setOffline(false)
    await stored(stage, address, 'before', 'left behind')
  })
})
