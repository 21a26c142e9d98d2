import { expect, it, vi } from 'vitest'
import { ManualClock, settle } from '../testing/manualClock'
import { Share } from './share'
import { localTurns } from './turns/turns'

it('does not take up a turn that was lost while it was prepared', async () => {
  const turns = localTurns()
  const onOurs = vi.fn()
  let ready = () => undefined as unknown
  const share = new Share({
    clock: new ManualClock(),
    patienceMs: 1_000,
    isWaiting: () => false,
    prepare: () => new Promise<void>((resolve) => (ready = resolve)),
    onOurs,
    onLost: vi.fn(),
  })
  share.join(turns, 'room')
  turns.take('room', { onTurn: vi.fn(), onLost: vi.fn() }).insist()
  ready()
  await settle()
  expect(onOurs).not.toHaveBeenCalled()
  expect(share.isOurs).toBe(false)
})
