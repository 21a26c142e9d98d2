import { describe, expect, it } from 'vitest'
import { settle } from '../testing/manualClock'
import { pick, seeded } from '../testing/random'
import { roomAck } from '../testing/room'
import { TestBrowser, type TestTab, tokenOf } from '../testing/tabs'
import { request } from '../transport/request'

async function tabs(count: number) {
  const browser = new TestBrowser()
  const all: TestTab[] = []
  for (let made = 0; made < count; made += 1) all.push(await browser.open())
  const [one, two, three] = all as [TestTab, TestTab, TestTab]
  return { browser, one, two, three }
}

const states = (...all: TestTab[]) => all.map(({ state }) => state)
const replaced = { message: 'elsewhere', timestamp: '' }

describe('tabs of one user', () => {
  it('have one connection, and are all connected', async () => {
    const { browser, one, two, three } = await tabs(3)
    expect(states(one, two, three)).toEqual(['connected', 'connected', 'connected'])
    expect(browser.connected).toEqual([one])
    expect(browser.tabs.map(({ own }) => own.attempts.length)).toEqual([1, 0, 0])
    expect([two.channel.isOpen, two.channel.userId]).toEqual([true, 'ann'])
    expect(two.channel.socketId).toBe(one.channel.socketId)
  })

  it('never tell each other a token', async () => {
    const { browser, two } = await tabs(2)
    two.connection.reconnect()
    await settle()
    expect(browser.said.length).toBeGreaterThan(3)
    expect(JSON.stringify(browser.said)).not.toMatch(/h\.[\w-]+\.s/)
  })

  it('hear each event once', async () => {
    const { one, two, three } = await tabs(3)
    one.own.push('room:resync', { roomId: 'r', reason: 'slow' })
    await settle()
    for (const tab of [one, two, three]) expect(tab.heard).toEqual(['room:resync'])
  })

  it('ask over it, and each gets its own answer', async () => {
    const { browser, one, two, three } = await tabs(3)
    one.serve = (sent) => {
      if (sent.event === 'room:join') sent.reply(roomAck({ roomId: sent.payload.roomId }))
    }
    const asked = [two, three, one].map(({ channel }, at) =>
      request(channel, browser.clock, 5_000, 'room:join', { roomId: `room${at}` }),
    )
    await settle()
    expect(await Promise.all(asked)).toMatchObject(
      [0, 1, 2].map((at) => ({ type: 'replied', reply: { roomId: `room${at}` } })),
    )
  })

  it('say that an answer is missing in the tab that waits for it', async () => {
    const { browser, one, two } = await tabs(2)
    let suspected = 0
    one.own.onSuspect(() => {
      suspected += 1
    })
    const asked = request(two.channel, browser.clock, 5_000, 'typing:start', { roomId: 'r' })
    await browser.clock.advance(5_000)
    expect(await asked).toEqual({ type: 'timeout' })
    expect(suspected).toBe(1)
  })

  it('are apart from those of another user', async () => {
    const browser = new TestBrowser()
    const ann = await browser.open('ann')
    const bob = await browser.open('bob')
    expect(browser.connected).toEqual([ann, bob])
    ann.own.push('room:resync', { roomId: 'r', reason: 'slow' })
    await settle()
    expect(bob.heard).toEqual([])
  })

  it('leave nothing behind', async () => {
    const { browser, one, two } = await tabs(2)
    two.connection.disconnect()
    await settle()
    expect(states(one, two)).toEqual(['connected', 'disconnected'])
    one.connection.disconnect()
    await settle()
    expect(browser.connected).toEqual([])
    expect(browser.clock.planned).toBe(0)
  })

  it('go on as others when a tab is signed in anew as somebody else', async () => {
    const { browser, one, two } = await tabs(2)
    two.connection.setIdentity({ tokens: () => Promise.resolve(tokenOf('bob')) })
    two.connection.reconnect()
    await browser.clock.advance(0)
    expect(browser.connected).toEqual([one, two])
    expect(states(one, two)).toEqual(['connected', 'connected'])
  })
})

describe('how good the line is', () => {
  it('is known in all tabs, and by the one that has the connection next', async () => {
    const { browser, one, two } = await tabs(2)
    for (let trip = 0; trip < 3; trip += 1) one.own.measure(1_200)
    await settle()
    for (const tab of [one, two])
      expect(tab.channel.quality.getSnapshot()).toMatchObject({ quality: 'poor', rtt: 1_200 })
    await one.crash()
    await browser.clock.advance(0)
    expect(two.channel.quality.getSnapshot().quality).toBe('poor')
  })

  it('is measured while any tab can be seen, and by the one that leads', async () => {
    const { browser, one, two } = await tabs(2)
    const beats = () => one.own.all('heartbeat').length + two.own.all('heartbeat').length
    await one.show(false)
    const before = beats()
    await browser.clock.advance(29_000)
    await two.show(false)
    await browser.clock.advance(300_000)
    expect(beats()).toBe(before)
    await two.show(true)
    await browser.clock.advance(32_000)
    expect(beats()).toBeGreaterThan(before)
  })
})

describe('the connection moves', () => {
  it.each(['closed', 'crashed'] as const)('when its tab is %s', async (how) => {
    const { browser, one, two, three } = await tabs(3)
    const changes: string[] = []
    two.channel.onChange(({ type }) => changes.push(type))
    const asked = request(two.channel, browser.clock, 5_000, 'typing:start', { roomId: 'r' })
    if (how === 'closed') one.connection.disconnect()
    else await one.crash()
    await browser.clock.advance(0)
    // Whether the server got it is not known; whoever asked asks again, as after any loss.
    expect(await asked).toEqual({ type: 'closed' })
    expect(browser.connected).toEqual([two])
    expect(states(two, three)).toEqual(['connected', 'connected'])
    expect(changes).toEqual(['closed', 'opening', 'opened'])
  })

  it('when its tab does not answer, within about two seconds', async () => {
    const { browser, one, two, three } = await tabs(3)
    await three.show(false)
    one.sleep()
    await browser.clock.advance(1_300)
    expect(browser.connected).toEqual([one])
    await browser.clock.advance(1_600)
    expect(two.own.isOpen).toBe(true)
    expect(states(two, three)).toEqual(['connected', 'connected'])
    // What it hears first is that the server takes the new one for a newer device.
    await one.wake()
    await browser.clock.advance(5_000)
    expect(browser.connected).toEqual([two])
    expect(states(one, two, three)).toEqual(['connected', 'connected', 'connected'])
    for (const tab of [one, two, three]) expect(tab.replaced).toEqual([])
  })

  it('when its tab is asleep and a hidden one asks in vain', async () => {
    const { browser, one, two } = await tabs(2)
    await two.show(false)
    one.sleep()
    await browser.clock.advance(60_000)
    expect(browser.connected).toEqual([one])
    const asked = request(two.channel, browser.clock, 5_000, 'typing:start', { roomId: 'r' })
    await browser.clock.advance(10_000)
    expect(await asked).toEqual({ type: 'timeout' })
    expect(two.own.isOpen).toBe(true)
  })

  it('when its tab was hidden for long and another one can be seen', async () => {
    const { browser, one, two } = await tabs(2)
    await one.show(false)
    await browser.clock.advance(29_000)
    expect(browser.connected).toEqual([one])
    await browser.clock.advance(2_000)
    expect(browser.connected).toEqual([two])
    // It was closed by its own tab: nobody was replaced.
    expect(states(one, two)).toEqual(['connected', 'connected'])
    await browser.clock.advance(60_000)
    expect(browser.connected).toEqual([two])
  })

  it('to none that is hidden, too', async () => {
    const { browser, one, two } = await tabs(2)
    await one.show(false)
    await two.show(false)
    await browser.clock.advance(600_000)
    expect(browser.connected).toEqual([one])
  })

  it('soon when its tab is hidden and has lost it', async () => {
    const { browser, one, two } = await tabs(2)
    await one.show(false)
    one.isServed = false
    one.own.drop()
    await browser.clock.advance(5_000)
    expect(browser.connected).toEqual([two])
  })

  it('when the browser puts its tab to sleep, and the tab joins the others when it wakes', async () => {
    const { browser, one, two } = await tabs(2)
    await one.freeze()
    await browser.clock.advance(0)
    expect(browser.connected).toEqual([two])
    await one.resume()
    await browser.clock.advance(0)
    expect(browser.connected).toEqual([two])
    expect(states(one, two)).toEqual(['connected', 'connected'])
  })

  it('not, when a tab comes and goes', async () => {
    const { browser, one, two } = await tabs(3)
    await two.crash()
    await browser.open()
    await browser.clock.advance(60_000)
    expect(browser.connected).toEqual([one])
    expect(one.own.attempts).toHaveLength(1)
  })

  it('back to a tab that lets it go to one that is gone by then', async () => {
    const { browser, one, two } = await tabs(2)
    await one.show(false)
    await browser.clock.advance(29_900)
    two.sleep()
    one.connection.transport.suspect()
    await browser.clock.advance(10_000)
    expect(browser.connected).toHaveLength(1)
  })
})

describe('another device', () => {
  async function takenOver() {
    const stage = await tabs(2)
    stage.one.own.push('connection:replaced', replaced)
    stage.one.own.drop()
    await stage.browser.clock.advance(1_000)
    return stage
  }

  it('replaces them all, and each says so once', async () => {
    const { browser, one, two } = await takenOver()
    expect([one.replaced, two.replaced]).toEqual([['elsewhere'], ['elsewhere']])
    await browser.clock.advance(60_000)
    expect(states(one, two)).toEqual(['disconnected', 'disconnected'])
    expect(browser.connected).toEqual([])
  })

  it.each(['one', 'two'] as const)('is replaced in turn by all when %s asks', async (which) => {
    const stage = await takenOver()
    stage[which].connection.reconnect()
    await stage.browser.clock.advance(0)
    expect(states(stage.one, stage.two)).toEqual(['connected', 'connected'])
    expect(stage.browser.connected).toHaveLength(1)
  })

  it('is let alone when the tab that led is closed', async () => {
    const { browser, one, two } = await takenOver()
    one.connection.disconnect()
    await browser.clock.advance(60_000)
    expect(browser.connected).toEqual([])
    two.connection.reconnect()
    await browser.clock.advance(0)
    expect(browser.connected).toEqual([two])
  })

  it('is replaced when a tab is opened: somebody wants to be here', async () => {
    const { browser, one, two } = await takenOver()
    const third = await browser.open()
    expect(states(one, two, third)).toEqual(['connected', 'connected', 'connected'])
  })

  it('is replaced by a tab that is asked while the one that leads is asleep', async () => {
    const { browser, one, two } = await takenOver()
    one.sleep()
    two.connection.reconnect()
    await browser.clock.advance(5_000)
    expect(browser.connected).toEqual([two])
  })
})

describe('a connection that is lost', () => {
  it('is lost for all, and back for all', async () => {
    const { browser, one, two } = await tabs(2)
    const changes: string[] = []
    two.channel.onChange(({ type }) => changes.push(type))
    one.own.drop()
    await settle()
    expect(states(one, two)).toEqual(['reconnecting', 'reconnecting'])
    expect(two.channel.isOpen).toBe(false)
    await browser.clock.advance(5_000)
    expect(states(one, two)).toEqual(['connected', 'connected'])
    expect(changes).toEqual(['closed', 'opening', 'opened'])
  })

  it('that failed says why everywhere', async () => {
    const browser = new TestBrowser()
    const one = browser.prepare('ann', { maxReconnectionAttempts: 0 })
    one.isServed = false
    one.connection.connect()
    await settle()
    const two = await browser.open()
    await browser.clock.advance(11_000)
    expect(states(one, two)).toEqual(['failed', 'failed'])
    expect(two.connection.getSnapshot().lastError).toMatchObject({ code: 'timeout' })
  })
})

describe('whatever happens to tabs', () => {
  const SEEDS = Array.from({ length: 50 }, (_, seed) => seed)

  it.each(SEEDS)(
    'in the end all have one connection, and none was told of another device (%i)',
    async (seed) => {
      const random = seeded(seed)
      const browser = new TestBrowser()
      let alive = [await browser.open(), await browser.open()]
      const steps: (() => unknown)[] = [
        async () => alive.push(await browser.open()),
        () => pick(random, alive)?.show(random() < 0.5),
        () => pick(random, alive)?.sleep(),
        () => pick(random, alive)?.wake(),
        () => pick(random, alive)?.connection.reconnect(),
        () => browser.connected[0]?.own.drop(),
        () => {
          const gone = alive.length > 1 ? pick(random, alive) : undefined
          alive = alive.filter((tab) => tab !== gone)
          if (random() < 0.5) gone?.connection.disconnect()
          return gone?.crash()
        },
      ]
      for (let turn = 0; turn < 25; turn += 1) {
        await pick(random, steps)?.()
        await browser.clock.advance(random() < 0.5 ? random() * 300 : random() * 20_000)
      }
      for (const tab of alive) await tab.wake()
      await pick(random, alive)?.show(true)
      await browser.clock.advance(60_000)
      expect(browser.connected).toHaveLength(1)
      expect(new Set(states(...alive))).toEqual(new Set(['connected']))
      for (const tab of browser.tabs) expect(tab.replaced).toEqual([])
    },
  )
})
