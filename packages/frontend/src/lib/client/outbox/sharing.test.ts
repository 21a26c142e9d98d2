import { describe, expect, it } from 'vitest'
import type { MessageAck } from '../../types/socket'
import { ManualClock, settle } from '../testing/manualClock'
import { pick, seeded } from '../testing/random'
import { type Mailbox, ownMailbox } from './mailbox'
import { Outbox } from './outbox'
import { memoryOutboxStore } from './store'

const ROOM = 'room_1'

type Behaviour = (id: string, answer: () => MessageAck) => MessageAck | null

/** A server that takes each id once, and that a test can silence. */
class Server {
  readonly log: string[] = []
  readonly received: string[] = []
  behave: Behaviour = (_, answer) => answer()

  receive(id: string): MessageAck | null {
    this.received.push(id)
    return this.behave(id, () => {
      const known = this.log.indexOf(id)
      if (known < 0) this.log.push(id)
      return { success: true, seq: this.log.indexOf(id) + 1, duplicate: known >= 0 }
    })
  }
}

/** A tab: what it shows of its outbox, and whether it is still there. */
class Tab {
  readonly shown = new Map<string, 'pending' | 'failed' | 'sent' | 'gone'>()
  readonly outcomes = new Map<string, boolean>()
  readonly outbox: Outbox
  readonly #server: Server
  readonly #leftovers: (() => void)[] = []
  isAlive = true

  constructor(server: Server, clock: ManualClock, mailbox: Mailbox) {
    this.#server = server
    this.outbox = new Outbox({
      clock,
      store: memoryOutboxStore(),
      settings: { ackTimeout: 5_000, maxRetries: 2, retryDelay: 1_000, retryDelayMax: 5_000 },
      transmit: ({ id }, onReply) => {
        if (!this.isAlive) return
        const reply = this.#server.receive(id)
        if (reply) queueMicrotask(() => this.isAlive && onReply(reply))
      },
      onQueued: ({ message, status }) => this.shown.set(message.id, status),
      onStored: (id) => this.shown.set(id, 'sent'),
      onFailed: (id) => this.shown.set(id, 'failed'),
      onGone: (id) => this.shown.set(id, 'gone'),
    })
    void this.outbox.open(ROOM, this.#watched(mailbox))
  }

  write(id: string): void {
    this.outbox
      .add({ id, roomId: ROOM, content: id, timestamp: '' })
      .then((isStored) => this.outcomes.set(id, isStored))
  }

  discard(id: string): void {
    this.outbox.discard(id)
    this.shown.set(id, 'gone')
  }

  /** As a browser ends it: nothing of it runs any more, and what it held is free. */
  kill(): void {
    this.isAlive = false
    for (const end of this.#leftovers) end()
    this.outbox.pause()
  }

  of(status: 'pending' | 'failed' | 'sent' | 'gone'): string[] {
    return [...this.shown].filter(([, each]) => each === status).map(([id]) => id)
  }

  #watched(mailbox: Mailbox): Mailbox {
    return {
      ...mailbox,
      openLine: (listen) => {
        const line = mailbox.openLine((news) => this.isAlive && listen(news))
        this.#leftovers.push(() => line.close())
        return line
      },
    }
  }
}

function stage(change: (mailbox: Mailbox, clock: ManualClock) => Mailbox = (mailbox) => mailbox) {
  const clock = new ManualClock()
  const server = new Server()
  const store = memoryOutboxStore()
  const mailbox = change({ ...ownMailbox(store), isShared: true }, clock)
  return { clock, server, store, tab: () => new Tab(server, clock, mailbox) }
}

/** A slow store, one thing after the other, and news that is late or lost. */
function slow(random: () => number, loss: number) {
  return ({ store, openLine, ...rest }: Mailbox, clock: ManualClock): Mailbox => {
    let last: Promise<unknown> = Promise.resolve()
    const later = () => new Promise<void>((resolve) => clock.after(random() * 20, resolve))
    const inTurn = <T>(action: () => Promise<T>): Promise<T> => {
      const result = last
        .then(later)
        .then(action)
        .then((value) => later().then(() => value))
      last = result
      return result
    }
    return {
      ...rest,
      store: {
        load: (roomId) => inTurn(() => store.load(roomId)),
        put: (entry, place) => inTurn(() => store.put(entry, place)),
        remove: (id) => inTurn(() => store.remove(id)),
      },
      openLine: (listen) => {
        let at = 0
        return openLine((news) => {
          if (random() < loss) return
          at = Math.max(at, clock.now() + random() * 20)
          clock.after(at - clock.now(), () => listen(news))
        })
      },
    }
  }
}

describe('two tabs', () => {
  it('of which one has no connection: the other sends what it writes, and both show it', async () => {
    const { server, tab, store, clock } = stage()
    const [writer, sender] = [tab(), tab()]
    sender.outbox.resume()
    await settle()
    writer.write('a')
    writer.write('b')
    await settle()
    expect(server.received).toEqual(['a', 'b'])
    expect([writer.of('sent'), sender.of('sent')]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
    expect(writer.outcomes).toEqual(
      new Map([
        ['a', true],
        ['b', true],
      ]),
    )
    expect(await store.load(ROOM)).toEqual([])
    expect(clock.planned).toBe(0)
  })

  it('with a connection each: one sends, in the order written, each message once', async () => {
    const { server, tab, clock } = stage()
    const tabs = [tab(), tab()]
    for (const { outbox } of tabs) outbox.resume()
    for (const id of ['a', 'b', 'c', 'd']) {
      tabs[id < 'c' ? 1 : 0]?.write(id)
      await settle()
    }
    await clock.advance(60_000)
    expect(server.received).toEqual(['a', 'b', 'c', 'd'])
  })

  it('know what failed, retry it from either, and discard it from either', async () => {
    const { server, tab, clock } = stage()
    const [one, two] = [tab(), tab()]
    one.outbox.resume()
    server.behave = () => ({ success: false, code: 'forbidden' })
    two.write('a')
    two.write('b')
    await settle()
    expect([one.of('failed'), two.of('failed')]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
    server.behave = (_, answer) => answer()
    void two.outbox.retry('a')
    await settle()
    expect([one.of('sent'), two.of('sent')]).toEqual([['a'], ['a']])
    one.discard('b')
    expect(two.of('gone')).toEqual(['b'])
    await clock.advance(60_000)
    expect(server.log).toEqual(['a'])
  })

  it('leave no message behind when the one that sends is killed in the middle of it', async () => {
    const { server, tab } = stage()
    const [one, two] = [tab(), tab()]
    one.outbox.resume()
    two.outbox.resume()
    await settle()
    server.behave = (_, answer) => {
      answer()
      return null
    }
    one.write('a')
    one.write('b')
    await settle()
    server.behave = (_, answer) => answer()
    one.kill()
    await settle()
    expect(server.log).toEqual(['a', 'b'])
    expect(two.of('sent')).toEqual(['a', 'b'])
  })

  it('wait as long as the server told one of them', async () => {
    const { server, tab, clock } = stage()
    const [one, two] = [tab(), tab()]
    one.outbox.resume()
    two.outbox.resume()
    await settle()
    const start = clock.now()
    server.behave = (_, answer) =>
      clock.now() < start + 30_000
        ? { success: false, code: 'rate_limited', retryAfterMs: 30_000 }
        : answer()
    two.write('a')
    await clock.advance(29_999)
    expect(server.received).toEqual(['a'])
    await clock.advance(1)
    expect(server.received).toEqual(['a', 'a'])
    expect(two.of('sent')).toEqual(['a'])
  })

  it('of which one sleeps with the turn: the other takes it, and gives it back', async () => {
    const { server, tab, clock } = stage()
    const [sleeper, awake] = [tab(), tab()]
    sleeper.outbox.resume()
    awake.outbox.resume()
    await settle()
    sleeper.isAlive = false
    awake.write('a')
    await clock.advance(4_999)
    expect(server.log).toEqual([])
    await clock.advance(1)
    expect(server.log).toEqual(['a'])
    expect(awake.of('sent')).toEqual(['a'])
  })
})

describe('a page that comes later', () => {
  it('takes up what an earlier one left, in its order, without what that one has sent', async () => {
    const { server, tab, store } = stage()
    const first = tab()
    for (const id of ['a', 'b', 'c']) first.write(id)
    await settle()
    first.kill()
    await store.remove('b')
    const second = tab()
    await settle()
    expect(second.of('pending')).toEqual(['a', 'c'])
    second.write('d')
    second.outbox.resume()
    await settle()
    expect(server.log).toEqual(['a', 'c', 'd'])
  })
})

const works: Behaviour = (_, answer) => answer()
const BEHAVIOURS: Behaviour[] = [
  works,
  works,
  works,
  () => null,
  (_, answer) => {
    answer()
    return null
  },
  () => ({ success: false, code: 'rate_limited', retryAfterMs: 3_000 }),
  () => ({ success: false, code: 'forbidden' }),
]

/** Whether some are in the order in which all are. */
function areInOrder(some: readonly string[], all: readonly string[]): boolean {
  const places = some.map((id) => all.indexOf(id))
  return places.every((place, at) => at === 0 || place > (places[at - 1] ?? 0))
}

/** Everything that may happen, at random, and what must be true in the end. */
class Story {
  readonly #random: () => number
  readonly #stage: ReturnType<typeof stage>
  readonly #tabs: Tab[]
  /** What was written where, in order. */
  readonly #written: { tab: Tab; ids: string[] }[] = []
  /** What was sent again has lost its place. */
  readonly #loose = new Set<string>()
  readonly #discarded = new Set<string>()
  #count = 0

  constructor(random: () => number, set: ReturnType<typeof stage>) {
    this.#random = random
    this.#stage = set
    this.#tabs = [this.#open(), this.#open()]
  }

  async run(steps: number): Promise<void> {
    const kinds = [
      () => this.#write(),
      () => this.#any().outbox.resume(),
      () => this.#any().outbox.pause(),
      () => this.#stage.clock.advance(this.#random() * 8_000),
      () => this.#stage.clock.advance(this.#random() * 8_000),
      settle,
      () => this.#retry(this.#any()),
      () => this.#discard(this.#any()),
      () => this.#replaceTab(),
      () => {
        this.#stage.server.behave = pick(this.#random, BEHAVIOURS)
      },
    ]
    for (let step = 0; step < steps; step += 1) await pick(this.#random, kinds)()
  }

  async end(): Promise<void> {
    const { server, clock } = this.#stage
    server.behave = works
    await clock.advance(500)
    for (const tab of this.#tabs) tab.outbox.resume()
    await clock.advance(60_000)
    for (const tab of this.#tabs) while (tab.of('failed').length > 0) this.#retry(tab)
    await clock.advance(60_000)
  }

  async check(): Promise<void> {
    const { server, clock, store } = this.#stage
    expect(new Set(server.log).size).toBe(server.log.length)
    const all = Array.from({ length: this.#count }, (_, place) => `m${place + 1}`)
    const isMissing = (id: string) => !server.log.includes(id) && !this.#discarded.has(id)
    expect(all.filter(isMissing)).toEqual([])
    const isFirm = (id: string) => server.log.includes(id) && !this.#loose.has(id)
    for (const { ids } of this.#written)
      expect(areInOrder(ids.filter(isFirm), server.log)).toBe(true)
    expect(await store.load(ROOM)).toEqual([])
    for (const tab of this.#tabs) expect([tab.of('pending'), tab.of('failed')]).toEqual([[], []])
    expect(clock.planned).toBe(0)
  }

  #open(): Tab {
    const tab = this.#stage.tab()
    this.#written.push({ tab, ids: [] })
    return tab
  }

  #any(): Tab {
    return pick(this.#random, this.#tabs)
  }

  #write(): void {
    this.#count += 1
    const writer = this.#any()
    writer.write(`m${this.#count}`)
    this.#written.find(({ tab }) => tab === writer)?.ids.push(`m${this.#count}`)
  }

  #retry(tab: Tab): void {
    const failed = tab.of('failed')
    if (failed.length === 0) return
    const id = pick(this.#random, failed)
    this.#loose.add(id)
    void tab.outbox.retry(id)
  }

  #discard(tab: Tab): void {
    const own = [...tab.of('failed'), ...tab.of('pending')]
    if (own.length === 0 || this.#random() < 0.6) return
    const id = pick(this.#random, own)
    tab.discard(id)
    this.#discarded.add(id)
  }

  async #replaceTab(): Promise<void> {
    if (this.#random() < 0.5) return
    // What is being kept at that moment may be lost with the tab.
    await this.#stage.clock.advance(500)
    this.#tabs.shift()?.kill()
    this.#tabs.push(this.#open())
  }
}

describe('whatever happens', () => {
  const SEEDS = Array.from({ length: 200 }, (_, seed) => seed + 1)

  it.each(SEEDS)('each message is stored once, in the order of its tab, seed %i', async (seed) => {
    const random = seeded(seed)
    const world = seed % 4 === 0 ? undefined : slow(random, seed % 4 === 1 ? 0.3 : 0)
    const story = new Story(random, stage(world))
    await story.run(80)
    await story.end()
    await story.check()
  })
})
