import { describe, expect, test } from 'vitest'
import type { ChatMessage } from '@/index'
import { newlyWhole, spoken } from './announce'

const message = (id: string, seq: number, more: Partial<ChatMessage> = {}): ChatMessage => ({
  id,
  roomId: 'r',
  seq,
  role: 'user',
  senderId: 'bob',
  content: id,
  state: 'complete',
  timestamp: '2026-05-01T10:00:00.000Z',
  ...more,
})

describe('what is read aloud', () => {
  const heard = new Set(['a'])
  const ids = (messages: ChatMessage[]) =>
    newlyWhole(messages, heard, 5, 'ann').map((each) => each.id)

  test('a message by somebody else, once', () => {
    expect(ids([message('a', 6), message('b', 7)])).toEqual(['b'])
  })

  test('an answer only when it is whole, however it ended', () => {
    expect(ids([message('b', 6, { state: 'streaming' })])).toEqual([])
    expect(ids([message('b', 6, { state: 'stopped' })])).toEqual(['b'])
  })

  test('neither own messages nor loaded history', () => {
    expect(ids([message('old', 3), message('own', 6, { senderId: 'ann' })])).toEqual([])
  })

  test('words, not marks, and not without end', () => {
    expect(spoken('# **Hi** [there](https://x.example)\n\n- `a`')).toBe('Hi there - a')
    expect(spoken('a'.repeat(900)).length).toBeLessThan(610)
  })
})
