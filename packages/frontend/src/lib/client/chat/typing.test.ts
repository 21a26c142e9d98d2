import { describe, expect, it } from 'vitest'
import { ManualClock } from '../testing/manualClock'
import { TypingExpiry, TypingNotifier } from './typing'

function notifier() {
  const clock = new ManualClock()
  const start = clock.now()
  const said: string[] = []
  const typing = new TypingNotifier({
    clock,
    intervalMs: 3_000,
    idleMs: 4_000,
    notify: (isTyping) => said.push(`${isTyping ? 'types' : 'stops'} ${clock.now() - start}`),
  })
  return { clock, typing, said }
}

describe('one’s own typing', () => {
  it('is told at the first key and every 3 s while it goes on', async () => {
    const { clock, typing, said } = notifier()
    for (let key = 0; key < 70; key += 1) {
      typing.start()
      await clock.advance(100)
    }
    expect(said).toEqual(['types 0', 'types 3000', 'types 6000'])
  })

  it('ends by itself when no key comes for 4 s', async () => {
    const { clock, typing, said } = notifier()
    typing.start()
    await clock.advance(60_000)
    expect(said).toEqual(['types 0', 'stops 4000'])
    typing.start()
    expect(said).toHaveLength(3)
  })

  it('ends at once, and once, when told', async () => {
    const { clock, typing, said } = notifier()
    typing.stop()
    typing.start()
    typing.stop()
    typing.stop()
    await clock.advance(60_000)
    expect(said).toEqual(['types 0', 'stops 0'])
  })

  it('is forgotten without a word', async () => {
    const { clock, typing, said } = notifier()
    typing.start()
    typing.forget()
    await clock.advance(60_000)
    expect(said).toEqual(['types 0'])
    expect(clock.planned).toBe(0)
  })
})

describe('the typing of others', () => {
  it('ends 6 s after its last sign', async () => {
    const clock = new ManualClock()
    const ended: string[] = []
    const expiry = new TypingExpiry({
      clock,
      timeoutMs: 6_000,
      expire: (userId) => ended.push(userId),
    })
    expiry.seen('ann', true)
    expiry.seen('bob', true)
    expiry.seen('cem', true)
    await clock.advance(3_000)
    expiry.seen('ann', true)
    expiry.seen('bob', false)
    await clock.advance(3_000)
    expect(ended).toEqual(['cem'])
    await clock.advance(3_000)
    expect(ended).toEqual(['cem', 'ann'])
    expiry.seen('dee', true)
    expiry.forget()
    expect(clock.planned).toBe(0)
  })
})
