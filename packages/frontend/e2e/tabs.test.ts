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

/** Somebody with two tabs of which both show a room, and the first has the connection. */
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

async function haveOneConnection({ userId }: Tabs): Promise<void> {
  await expect.poll(() => connectionsOf(stage, userId), { timeout: 30_000 }).toBe(1)
}

test('two tabs have one connection, hear everything once, and send from either', async () => {
  const tabs = await twoTabs()
  const { one, two, address } = tabs
  await haveOneConnection(tabs)
  expect([one.wires.hasConnection, two.wires.hasConnection]).toEqual([true, false])
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
  test('when its tab is closed', async () => {
    const tabs = await twoTabs()
    await tabs.one.person.page.close()
    await tabs.two.wires.becomes(true)
    await say(tabs.two, 'after')
    await shows(tabs.two, 'after')
    await haveOneConnection(tabs)
    expect(await tabs.two.person.dialog.count()).toBe(0)
  })

  test('when its tab crashes, and what was on its way is sent once', async () => {
    const tabs = await twoTabs()
    const { one, two, address } = tabs
    // Nothing that this tab sends arrives any more.
    const debug = await one.wires.debug()
    await debug.send('Debugger.enable')
    const paused = new Promise((resolve) => debug.once('Debugger.paused', resolve))
    await debug.send('Debugger.pause')
    await paused
    await say(two, 'on its way')
    await two.person.pending.waitFor()
    await one.wires.crash()
    await two.wires.becomes(true)
    await shows(two, 'on its way')
    expect(await saidIn(address)).toEqual(['before', 'on its way'])
  })

  test('when its tab hangs, which is none the worse for it afterwards', async () => {
    const tabs = await twoTabs()
    const { one, two, address } = tabs
    const debug = await one.wires.debug()
    await debug.send('Debugger.enable')
    const paused = new Promise((resolve) => debug.once('Debugger.paused', resolve))
    await debug.send('Debugger.pause')
    await paused
    await two.wires.becomes(true)
    await say(two, 'meanwhile')
    await shows(two, 'meanwhile')
    await debug.send('Debugger.disable')
    await one.wires.becomes(false)
    await shows(one, 'meanwhile')
    await say(one, 'and on')
    await shows(two, 'and on')
    await haveOneConnection(tabs)
    for (const { person } of [one, two]) expect(await person.dialog.count()).toBe(0)
    expect(await saidIn(address)).toEqual(['before', 'meanwhile', 'and on'])
  })

  test('when the browser says that it will freeze its tab', async () => {
    const { one, two } = await twoTabs()
    const tell = (name: string) =>
      one.person.page.evaluate((event) => document.dispatchEvent(new Event(event)), name)
    await tell('freeze')
    await two.wires.becomes(true)
    await say(two, 'meanwhile')
    await shows(two, 'meanwhile')
    await tell('resume')
    await shows(one, 'meanwhile')
    expect(one.wires.hasConnection).toBe(false)
    expect(await one.person.dialog.count()).toBe(0)
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
    expect([one.wires.hasConnection, two.wires.hasConnection]).toEqual([true, false])
  })

  test('is let alone when the tab is closed that had the connection', async () => {
    const { one, two, address } = await twoTabs()
    const phone = await stage.person({ session: await one.person.session() })
    await phone.open(address)
    await two.person.dialog.waitFor()
    await one.person.page.close()
    await phone.say('still here')
    await phone.message('still here').nth(1).waitFor()
    expect(await phone.dialog.count()).toBe(0)
    expect(two.wires.hasConnection).toBe(false)
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
  expect([one.wires.hasConnection, two.wires.hasConnection]).toEqual([true, false])
  await one.person.page.close()
  await two.wires.becomes(true)
  await say(two, 'after')
  await shows(two, 'after')
  expect(await two.person.dialog.count()).toBe(0)
})
