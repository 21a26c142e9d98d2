import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../testing/manualClock'
import { LEASE_MS, type LeaseTable, leaseTurns } from './lease'
import type { Turn } from './turns'

function stage() {
  const clock = new ManualClock()
  let lease: { holder: string; until: number } | null = null
  let isBroken = false
  const table: LeaseTable = {
    take: async ({ holder, now, until }, isForced) => {
      if (isBroken) throw new Error('broken')
      if (lease && lease.holder !== holder && lease.until > now && !isForced) return false
      lease = { holder, until }
      return true
    },
    drop: async (_, holder) => {
      if (lease?.holder === holder) lease = null
    },
  }
  let ids = 0
  const turns = leaseTurns({ table, clock, createId: () => `${++ids}` })
  const log: string[] = []
  const take = (who: string): Turn =>
    turns.take('room', {
      onTurn: () => log.push(`${who} has it`),
      onLost: () => log.push(`${who} lost it`),
    })
  return { clock, turns, log, take, breakTable: () => (isBroken = true) }
}

describe('a turn by lease', () => {
  it('is kept as long as it is renewed, and goes on at once when it is given back', async () => {
    const { clock, turns, log, take } = stage()
    const one = take('one')
    const two = take('two')
    await clock.advance(60_000)
    expect(log).toEqual(['one has it'])
    expect(await turns.isFree('room')).toBe(false)
    one.release()
    await clock.advance(3_000)
    expect(log).toEqual(['one has it', 'two has it'])
    two.release()
    await clock.advance(1)
    expect(await turns.isFree('room')).toBe(true)
    expect(clock.planned).toBe(0)
  })

  it('runs out when its holder does not renew it', async () => {
    const { clock, turns, log, take } = stage()
    take('one')
    await clock.advance(1)
    // A tab that sleeps: its timers do not run.
    const sleeping = clock.after.bind(clock)
    clock.after = () => () => undefined
    await clock.advance(2_500)
    clock.after = sleeping
    take('two')
    await clock.advance(LEASE_MS + 2_500)
    expect(log).toEqual(['one has it', 'two has it'])
    expect(await turns.isFree('room')).toBe(false)
  })

  it('is lost to who insists', async () => {
    const { clock, log, take } = stage()
    take('one')
    const two = take('two')
    await clock.advance(1)
    two.insist()
    await clock.advance(10_000)
    expect(log).toEqual(['one has it', 'two has it', 'one lost it'])
  })

  it('comes to everybody where the table is broken', async () => {
    const { clock, log, take, breakTable } = stage()
    breakTable()
    take('one')
    take('two')
    await clock.advance(1)
    expect(log).toEqual(['one has it', 'two has it'])
  })
})
