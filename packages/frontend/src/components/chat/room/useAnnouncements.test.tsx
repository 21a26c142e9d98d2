import { renderHook } from '@testing-library/react'
import { describe, expect, test } from 'vitest'
import type { ChatMessage } from '@/index'
import { useAnnouncements } from './useAnnouncements'

const message = (seq: number, more: Partial<ChatMessage> = {}): ChatMessage => ({
  id: `m${seq}`,
  roomId: 'r',
  seq,
  role: 'character',
  senderId: 'echo',
  content: `text ${seq}`,
  state: 'complete',
  timestamp: '2026-05-01T10:00:00.000Z',
  ...more,
})

function open(first: ChatMessage[]) {
  const hook = renderHook(
    ({ messages, inRoom }) => useAnnouncements(messages, 'ann', inRoom).map((each) => each.id),
    { initialProps: { messages: [] as ChatMessage[], inRoom: false } },
  )
  hook.rerender({ messages: first, inRoom: true })
  return {
    get told() {
      return hook.result.current
    },
    next: (messages: ChatMessage[], inRoom = true) => hook.rerender({ messages, inRoom }),
  }
}

describe('what is announced', () => {
  test('is not what was there when the room was opened, nor history', () => {
    const room = open([message(5), message(6)])
    expect(room.told).toEqual([])
    room.next([message(3), message(4), message(5), message(6)])
    expect(room.told).toEqual([])
  })

  test('is an answer when it has ended, once', () => {
    const room = open([message(1)])
    room.next([message(1), message(2, { state: 'streaming', content: 'te' })])
    expect(room.told).toEqual([])
    room.next([message(1), message(2)])
    expect(room.told).toEqual(['m2'])
    room.next([message(1), message(2), message(3)])
    expect(room.told).toEqual(['m3'])
  })

  test('is an answer that ran already when the room was opened', () => {
    const room = open([message(1), message(2, { state: 'streaming' })])
    room.next([message(1), message(2)])
    expect(room.told).toEqual(['m2'])
  })

  test('is what came while the connection was away', () => {
    const room = open([message(1)])
    room.next([message(1)], false)
    room.next([message(1), message(2)])
    expect(room.told).toEqual(['m2'])
  })
})
