import { expect, it } from 'vitest'
import { ManualClock } from '../testing/manualClock'
import { message } from '../testing/room'
import { NOTIFY_AFTER_MS, Notifier } from './notifier'

function stage() {
  const clock = new ManualClock()
  const inView = new Set<string>()
  let readTo = 0
  let isOn = true
  const shown: string[] = []
  const notifier = new Notifier({
    clock,
    isInView: (roomId) => inView.has(roomId),
    isOn: () => isOn,
    isUnread: (_, seq) => seq > readTo,
    show: ({ id }) => shown.push(id),
  })
  return {
    clock,
    inView,
    notifier,
    shown,
    read: (seq: number) => {
      readTo = seq
    },
    turn: (on: boolean) => {
      isOn = on
    },
  }
}

it('tells of what nobody has seen a moment later', async () => {
  const { clock, notifier, shown } = stage()
  notifier.came(message(1))
  await clock.advance(NOTIFY_AFTER_MS - 1)
  expect(shown).toEqual([])
  await clock.advance(1)
  expect(shown).toEqual(['m1'])
})

it('says nothing of what is in view, or is read on another device meanwhile', async () => {
  const { clock, inView, notifier, shown, read } = stage()
  inView.add(message(1).roomId)
  notifier.came(message(1))
  inView.clear()
  notifier.came(message(2))
  notifier.came(message(3))
  read(2)
  await clock.advance(NOTIFY_AFTER_MS)
  expect(shown).toEqual(['m3'])
  notifier.came(message(4))
  inView.add(message(4).roomId)
  await clock.advance(NOTIFY_AFTER_MS)
  expect(shown).toEqual(['m3'])
})

it('says nothing any more when it is closed', async () => {
  const { clock, notifier, shown } = stage()
  notifier.came(message(1))
  notifier.close()
  await clock.advance(NOTIFY_AFTER_MS)
  expect([shown, clock.planned]).toEqual([[], 0])
})

it('says nothing of what is deleted meanwhile', async () => {
  const { clock, notifier, shown } = stage()
  for (const seq of [1, 2, 3]) notifier.came(message(seq))
  notifier.deleted('m2')
  notifier.deleted('unknown')
  await clock.advance(NOTIFY_AFTER_MS)
  expect([shown, clock.planned]).toEqual([['m1', 'm3'], 0])
})

it('says nothing where it is switched off, also in the last moment', async () => {
  const { clock, notifier, shown, turn } = stage()
  notifier.came(message(1))
  turn(false)
  notifier.came(message(2))
  await clock.advance(NOTIFY_AFTER_MS)
  turn(true)
  await clock.advance(NOTIFY_AFTER_MS)
  expect(shown).toEqual([])
  notifier.came(message(3))
  await clock.advance(NOTIFY_AFTER_MS)
  expect(shown).toEqual(['m3'])
})
