import { describe, expect, test } from 'vitest'
import type { ChatMessage, ReadMarker } from '@/index'
import { lastOwn, readersOf } from './readers'

const TIME = '2026-05-01T10:00:00.000Z'
const message = (seq: number, senderId: string, more: Partial<ChatMessage> = {}): ChatMessage => ({
  id: `m${seq}`,
  roomId: 'r',
  seq,
  role: 'user',
  senderId,
  content: '',
  state: 'complete',
  timestamp: TIME,
  ...more,
})
const marker = (userId: string, seq: number): ReadMarker => ({
  userId,
  messageId: `m${seq}`,
  seq,
  timestamp: TIME,
})

describe('who has read', () => {
  const messages = [
    message(1, 'ann'),
    message(2, 'ann'),
    message(3, 'bob'),
    message(4, 'ann', { status: 'failed' }),
  ]

  test("is asked of one's last message that the server has", () => {
    expect(lastOwn(messages, 'ann')?.id).toBe('m2')
    expect(lastOwn(messages, 'eve')).toBeUndefined()
  })

  test('are the others whose mark has come so far', () => {
    const markers = [marker('ann', 9), marker('bob', 2), marker('eve', 1), marker('joe', 3)]
    expect(readersOf(messages[1], markers, 'ann')).toEqual(['bob', 'joe'])
    expect(readersOf(undefined, markers, 'ann')).toEqual([])
    const taken = { ...marker('ann', 2), characterId: 'echo' }
    expect(readersOf(messages[1], [...markers, taken], 'ann')).toEqual([
      'bob',
      'joe',
      'character:echo',
    ])
  })
})
