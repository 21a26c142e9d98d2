import { describe, expect, it } from 'vitest'
import type { ReadMarker } from '../../types/socket'
import { answer, message } from '../testing/room'
import { withRead } from './people'
import { leftOffAt, receiptOf } from './receipts'

const marker = (userId: string, seq: number, characterId?: string): ReadMarker => ({
  userId,
  seq,
  messageId: `m${seq}`,
  timestamp: '',
  ...(characterId !== undefined && { characterId }),
})

describe('a message', () => {
  const own = message(3, { senderId: 'me' })

  it.each([
    ['pending', 'pending'],
    ['failed', 'failed'],
    ['sent', 'stored'],
    [undefined, 'stored'],
  ] as const)('that is %s is %s before anybody has read it', (status, state) => {
    const receipt = receiptOf({ ...own, ...(status && { status }) }, [marker('me', 9)], 'me')
    expect(receipt).toEqual({ state, users: [], characters: [] })
  })

  it('is read by those whose mark has come so far', () => {
    const marks = [marker('me', 9), marker('ann', 3), marker('ben', 2), marker('me', 3, 'echo')]
    expect(receiptOf(own, marks, 'me')).toEqual({
      state: 'read',
      users: ['ann'],
      characters: ['echo'],
    })
  })

  it('of a user who is called as a character is has a mark of its own', () => {
    const marks = [marker('echo', 2), marker('me', 5, 'echo')].reduce(
      withRead,
      [] as readonly ReadMarker[],
    )
    expect(receiptOf(own, marks, 'me')).toEqual({
      state: 'read',
      users: [],
      characters: ['echo'],
    })
    expect(withRead(marks, marker('ann', 7, 'echo'))).toHaveLength(2)
  })
})

describe('where one left off', () => {
  const log = [message(1), message(2, { senderId: 'me' }), answer(3), message(4)]

  it('is after the last that was read, where others have written since', () => {
    expect(leftOffAt(log, 2, 'me')).toBe(2)
    expect(leftOffAt(log, 3, 'me')).toBe(3)
  })

  it('is nowhere when everything is read, what came is one’s own, or one was never here', () => {
    expect(leftOffAt(log, 4, 'me')).toBeNull()
    expect(leftOffAt([...log, message(5, { senderId: 'me' })], 4, 'me')).toBeNull()
    expect(leftOffAt(log, 0, 'me')).toBeNull()
  })
})
