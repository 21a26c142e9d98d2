import { describe, expect, it } from 'vitest'
import { ManualClock } from '../testing/manualClock'
import { MemoryTransport } from '../testing/memoryTransport'
import { pick, seeded } from '../testing/random'
import type { ActivitySource } from './activity'
import { PresenceReporter } from './reporter'
import { IDLE_AFTER_MS, judge } from './rules'

const MINUTE = 60_000

describe('who is there', () => {
  it('is away at once when the page is hidden', () => {
    expect(judge({ isVisible: false, lastActive: 100 }, 100)).toEqual({
      status: 'away',
      lookIn: null,
    })
  })

  it('is away after five minutes without a sign', () => {
    expect(IDLE_AFTER_MS).toBe(5 * MINUTE)
    const seen = { isVisible: true, lastActive: 0 }
    expect(judge(seen, 4 * MINUTE)).toEqual({ status: 'online', lookIn: MINUTE })
    expect(judge(seen, 5 * MINUTE - 1)).toEqual({ status: 'online', lookIn: 1 })
    expect(judge(seen, 5 * MINUTE)).toEqual({ status: 'away', lookIn: null })
  })

  it('does not stay there for longer because a clock was set back', () => {
    const seen = { isVisible: true, lastActive: 100 * MINUTE }
    expect(judge(seen, 0)).toEqual({ status: 'online', lookIn: 5 * MINUTE })
  })
})

class ManualActivity implements ActivitySource {
  visible = true
  readonly #listeners = new Set<(sign: 'seen' | 'active') => void>()

  isVisible(): boolean {
    return this.visible
  }

  onSign(listener: (sign: 'seen' | 'active') => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get listening(): number {
    return this.#listeners.size
  }

  show(visible: boolean): void {
    this.visible = visible
    for (const listener of [...this.#listeners]) listener('seen')
  }

  act(): void {
    for (const listener of [...this.#listeners]) listener('active')
  }
}

function stage() {
  const clock = new ManualClock()
  const activity = new ManualActivity()
  const transport = new MemoryTransport()
  const reporter = new PresenceReporter({ clock, activity })
  transport.accept()
  const stop = reporter.bind(transport)
  const told = () => transport.all('presence:set').map(({ payload }) => payload.status)
  return { clock, activity, transport, reporter, stop, told }
}

describe('the server', () => {
  it('is told when the page is hidden and seen again', () => {
    const { activity, told } = stage()
    activity.show(false)
    activity.show(false)
    activity.show(true)
    expect(told()).toEqual(['online', 'away', 'online'])
  })

  it('is told after five minutes without a sign, and at the next one', async () => {
    const { clock, activity, told } = stage()
    await clock.advance(4 * MINUTE)
    activity.act()
    await clock.advance(5 * MINUTE - 1)
    expect(told()).toEqual(['online'])
    await clock.advance(1)
    expect(told()).toEqual(['online', 'away'])
    await clock.advance(60 * MINUTE)
    activity.act()
    expect(told()).toEqual(['online', 'away', 'online'])
    await clock.advance(5 * MINUTE)
    expect(told()).toEqual(['online', 'away', 'online', 'away'])
  })

  it('does not take a page that is hidden for a sign, nor one in a hidden page', async () => {
    const { clock, activity, told } = stage()
    activity.show(false)
    activity.act()
    await clock.advance(10 * MINUTE)
    expect(told()).toEqual(['online', 'away'])
    activity.show(true)
    expect(told()).toEqual(['online', 'away', 'online'])
  })

  it('is told again after each connect, whatever it is', () => {
    const { activity, transport, told } = stage()
    activity.show(false)
    transport.drop()
    transport.accept()
    expect(told()).toEqual(['online', 'away', 'away'])
    transport.drop()
    activity.show(true)
    transport.accept()
    expect(told()).toEqual(['online', 'away', 'away', 'online'])
  })

  it('is told nothing any more when the page is gone, and nothing is left over', async () => {
    const { clock, activity, transport, stop, told } = stage()
    stop()
    activity.show(false)
    await clock.advance(10 * MINUTE)
    expect(told()).toEqual(['online'])
    expect([clock.planned, activity.listening, transport.listening]).toEqual([0, 0, 0])
  })

  it.each(Array.from({ length: 50 }, (_, seed) => seed))(
    'knows in the end what is the case, whatever happened (seed %i)',
    async (seed) => {
      const random = seeded(seed)
      const { clock, activity, transport, told } = stage()
      let lastSign = clock.now()
      const sign = () => {
        lastSign = clock.now()
      }
      const deeds = {
        act: () => [activity.act(), sign()],
        hide: () => activity.show(false),
        show: () => [activity.show(true), sign()],
        drop: () => [transport.drop(), transport.accept()],
        wait: () => undefined,
      }
      for (let step = 0; step < 60; step += 1) {
        await clock.advance(random() * 4 * MINUTE)
        pick(random, Object.values(deeds))()
        const isThere = activity.visible && clock.now() - lastSign < IDLE_AFTER_MS
        expect(told().at(-1)).toBe(isThere ? 'online' : 'away')
      }
    },
  )
})
