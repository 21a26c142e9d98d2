import { describe, expect, test } from 'vitest'
import type { Person } from './support/person'
import { createGuest, storedIn } from './support/room'
import { setStage } from './support/stage'
import { connectionsOf, OPERATOR, TabWires } from './support/tabs'

const stage = setStage({ REJOINDER_OPERATOR_TOKEN: OPERATOR })

interface Tab {
  person: Person
  wires: TabWires
}

interface Tabs {
  one: Tab
  two: Tab
  address: string
  userId: string
}

function wired(person: Person): Tab {
  return { person, wires: new TabWires(person) }
}

/** Somebody with two tabs that both show a room. */
async function twoTabs(): Promise<Tabs> {
  const one = wired(await stage.person())
  await one.person.signIn('Ann')
  const address = await one.person.startChat()
  await say(one, 'before')
  await one.person.messages('complete').nth(1).waitFor()
  const two = wired(await stage.tab(one.person))
  await two.person.open(address)
  await shows(two, 'before')
  const { userId } = await one.person.session()
  return { one, two, address, userId }
}

async function say({ person }: Tab, text: string): Promise<void> {
  await person.say(text)
}

/** What was said, and the character's answer, which says the same. */
async function shows({ person }: Tab, text: string): Promise<void> {
  await person.message(text).nth(1).waitFor({ timeout: 30_000 })
}

async function saidIn(address: string): Promise<string[]> {
  const stored = await storedIn(stage.server.url, address)
  return stored.filter(({ role }) => role === 'user').map(({ content }) => content)
}

/** Who has the connection of the two, and who has not: a tab that is busy for long may have lost it. */
async function byConnection({ one, two }: Tabs): Promise<[having: Tab, other: Tab]> {
  const having = () => [one, two].filter(({ wires }) => wires.hasConnection)
  await expect.poll(() => having().length, { timeout: 30_000 }).toBe(1)
  return having()[0] === one ? [one, two] : [two, one]
}

async function haveOneConnection({ userId }: Tabs): Promise<void> {
  await expect.poll(() => connectionsOf(stage, userId), { timeout: 30_000 }).toBe(1)
}

test('two tabs have one connection, hear everything once, and send from either', async () => {
  const tabs = await twoTabs()
  const { one, two, address } = tabs
  await haveOneConnection(tabs)
  await byConnection(tabs)
  await say(two, 'from the second')
  await say(one, 'from the first')
  for (const tab of [one, two]) {
    await shows(tab, 'from the second')
    await shows(tab, 'from the first')
    await expect.poll(() => tab.person.pending.count()).toBe(0)
    expect(await tab.person.messages().count()).toBe(6)
    expect(await tab.person.dialog.count()).toBe(0)
  }
  expect(await saidIn(address)).toEqual(['before', 'from the second', 'from the first'])
})

test('a tab that goes elsewhere leaves the room to the other one', async () => {
  const { one, two } = await twoTabs()
  await one.person.page.evaluate(() => {
    location.hash = '#/'
  })
  await one.person.composer.waitFor({ state: 'detached' })
  await say(two, 'still here')
  await shows(two, 'still here')
  await two.person.page.evaluate(() => {
    location.hash = '#/'
  })
  await two.person.composer.waitFor({ state: 'detached' })
})

describe('the connection moves', () => {
  /** Nothing runs in the page any more, until the debugger lets go of it. */
  async function pause({ wires }: Tab) {
    const debug = await wires.debug()
    await debug.send('Debugger.enable')
    const paused = new Promise((resolve) => debug.once('Debugger.paused', resolve))
    await debug.send('Debugger.pause')
    await paused
    return () => debug.send('Debugger.disable')
  }

  test('when its tab is closed', async () => {
    const tabs = await twoTabs()
    const [having, other] = await byConnection(tabs)
    await having.person.page.close()
    await other.wires.becomes(true)
    await say(other, 'after')
    await shows(other, 'after')
    await haveOneConnection(tabs)
    expect(await other.person.dialog.count()).toBe(0)
  })

  test('when its tab crashes, and what was on its way is sent once', async () => {
    const tabs = await twoTabs()
    const [having, other] = await byConnection(tabs)
    // Nothing that goes by way of this tab arrives any more.
    await pause(having)
    await say(other, 'on its way')
    await having.wires.crash()
    await other.wires.becomes(true)
    await shows(other, 'on its way')
    expect(await saidIn(tabs.address)).toEqual(['before', 'on its way'])
  })

  test('when its tab hangs, which is none the worse for it afterwards', async () => {
    const tabs = await twoTabs()
    const [having, other] = await byConnection(tabs)
    const goOn = await pause(having)
    await other.wires.becomes(true)
    await say(other, 'meanwhile')
    await shows(other, 'meanwhile')
    await goOn()
    await shows(having, 'meanwhile')
    await say(having, 'and on')
    await shows(other, 'and on')
    await byConnection(tabs)
    await haveOneConnection(tabs)
    for (const { person } of [having, other]) expect(await person.dialog.count()).toBe(0)
    expect(await saidIn(tabs.address)).toEqual(['before', 'meanwhile', 'and on'])
  })

  test('when the browser says that it will freeze its tab', async () => {
    const tabs = await twoTabs()
    const [having, other] = await byConnection(tabs)
    const tell = (name: string) =>
      having.person.page.evaluate((event) => document.dispatchEvent(new Event(event)), name)
    await tell('freeze')
    await other.wires.becomes(true)
    await having.wires.becomes(false)
    await say(other, 'meanwhile')
    await shows(other, 'meanwhile')
    await tell('resume')
    await shows(having, 'meanwhile')
    await byConnection(tabs)
    expect(await having.person.dialog.count()).toBe(0)
  })
})

describe('another device', () => {
  test('replaces both tabs, which say so, and one of them takes it back for both', async () => {
    const tabs = await twoTabs()
    const { one, two, address } = tabs
    const phone = await stage.person({ session: await one.person.session() })
    await phone.open(address)
    await one.person.dialog.waitFor()
    await two.person.dialog.waitFor()
    await phone.say('from the phone')
    await phone.message('from the phone').nth(1).waitFor()

    await two.person.dialog.getByRole('button', { name: 'Use this one' }).click()
    await phone.dialog.waitFor()
    for (const tab of [one, two]) {
      await tab.person.dialog.waitFor({ state: 'detached' })
      await shows(tab, 'from the phone')
    }
    await haveOneConnection(tabs)
    await byConnection(tabs)
  })

  test('is let alone when the tab is closed that had the connection', async () => {
    const tabs = await twoTabs()
    const [having, other] = await byConnection(tabs)
    const phone = await stage.person({ session: await having.person.session() })
    await phone.open(tabs.address)
    await other.person.dialog.waitFor()
    await having.person.page.close()
    await phone.say('still here')
    await phone.message('still here').nth(1).waitFor()
    expect(await phone.dialog.count()).toBe(0)
    expect(other.wires.hasConnection).toBe(false)
  })
})

test('what is written offline in both goes out once when the network is back', async () => {
  const { one, two, address } = await twoTabs()
  for (const { person } of [one, two]) {
    person.foreseeOutage()
    person.foresee(/ERR_INTERNET_DISCONNECTED/)
  }
  await one.person.context.setOffline(true)
  for (const { person } of [one, two]) await person.banner.waitFor()
  await say(one, 'in the first')
  await say(two, 'in the second')
  await one.person.pending.nth(1).waitFor()
  await one.person.context.setOffline(false)
  for (const tab of [one, two]) {
    await shows(tab, 'in the first')
    await shows(tab, 'in the second')
    await expect.poll(() => tab.person.pending.count()).toBe(0)
    await tab.person.banner.waitFor({ state: 'detached' })
  }
  expect((await saidIn(address)).sort()).toEqual(['before', 'in the first', 'in the second'])
})

test('another user in another tab has a connection of their own', async () => {
  const one = wired(await stage.person())
  await one.person.signIn('Ann')
  const bob = await createGuest(stage.server.url, 'Bob')
  const two = wired(await stage.tab(one.person))
  await two.person.page.addInitScript((session) => {
    Storage.prototype.getItem = (name) => (name === 'rejoinder.session' ? session : null)
  }, JSON.stringify(bob))
  await two.person.page.goto('/')
  await two.person.newChatButton('Echo').waitFor()
  const ann = await one.person.session()
  for (const { userId } of [ann, bob])
    await expect.poll(() => connectionsOf(stage, userId), { timeout: 30_000 }).toBe(1)
  expect([one.wires.hasConnection, two.wires.hasConnection]).toEqual([true, true])
  expect(await one.person.dialog.count()).toBe(0)
})

test('a tab of a build that speaks otherwise is apart: the newer takes over, and both work', async () => {
  const { one, address } = await twoTabs()
  const other = wired(await stage.tab(one.person))
  await other.person.page.addInitScript(() => {
    const renamed = (name: string) => name.replace('rejoinder.tabs.1', 'rejoinder.tabs.0')
    const Line = window.BroadcastChannel
    window.BroadcastChannel = class extends Line {
      constructor(name: string) {
        super(renamed(name))
      }
    }
    const { request } = LockManager.prototype as { request: (...all: unknown[]) => unknown }
    Object.assign(LockManager.prototype, {
      request(name: string, ...rest: unknown[]) {
        return request.call(this, renamed(name), ...rest)
      },
    })
  })
  await other.person.open(address)
  await one.person.dialog.waitFor()
  await other.wires.becomes(true)
  await say(other, 'from the other build')
  await shows(other, 'from the other build')
  await one.person.dialog.getByRole('button', { name: 'Use this one' }).click()
  await other.person.dialog.waitFor()
  await shows(one, 'from the other build')
})

test('a tab that does not share has a connection of its own, and takes over', async () => {
  const { one, address } = await twoTabs()
  const apart = wired(await stage.tab(one.person))
  await apart.person.open(address.replace('/#', '/?shareAcrossTabs=false#'))
  await one.person.dialog.waitFor()
  await apart.wires.becomes(true)
  await say(apart, 'apart')
  await shows(apart, 'apart')
})

test('where there are no locks, the tabs share one connection all the same', async () => {
  const one = wired(await stage.person())
  await one.person.context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })
  })
  await one.person.signIn('Ann')
  const address = await one.person.startChat()
  await say(one, 'before')
  await shows(one, 'before')
  const two = wired(await stage.tab(one.person))
  await two.person.open(address)
  await shows(two, 'before')
  const { userId } = await one.person.session()
  const [having, other] = await byConnection({ one, two, address, userId })
  await having.person.page.close()
  await other.wires.becomes(true)
  await say(other, 'after')
  await shows(other, 'after')
  expect(await other.person.dialog.count()).toBe(0)
})
