import { describe, expect, test } from 'vitest'
import type { ChatMessage } from '@/index'
import { toRows, toSlots } from './slots'

const message = (id: string, more: Partial<ChatMessage> = {}): ChatMessage => ({
  id,
  roomId: 'r',
  seq: 1,
  role: 'user',
  senderId: 'ann',
  content: id,
  state: 'complete',
  timestamp: '2026-05-01T10:00:00.000Z',
  ...more,
})
const answer = (id: string, replyTo: string, more: Partial<ChatMessage> = {}) =>
  message(id, { role: 'character', senderId: 'echo', characterId: 'echo', replyTo, ...more })

describe('slots', () => {
  test('further answers share the place of the first', () => {
    const slots = toSlots([
      message('q1'),
      answer('a1', 'q1'),
      message('q2'),
      answer('a2', 'q2'),
      answer('a1b', 'q1'),
    ])
    expect(slots.map((slot) => slot.variants.map((each) => each.id))).toEqual([
      ['q1'],
      ['a1', 'a1b'],
      ['q2'],
      ['a2'],
    ])
  })

  test('an empty answer has no place: its question was answered with a later one', () => {
    const slots = toSlots([
      message('q1'),
      message('q2'),
      answer('a1', 'q1', { content: '' }),
      answer('a2', 'q2'),
      answer('a3', 'q3', { content: '', state: 'stopped' }),
    ])
    expect(slots.map(({ key }) => key)).toEqual(['q1', 'q2', 'a2', 'a3'])
  })

  test('people who reply to one message keep places of their own', () => {
    const slots = toSlots([
      message('q'),
      message('x', { replyTo: 'q' }),
      message('y', { replyTo: 'q' }),
    ])
    expect(slots).toHaveLength(3)
  })
})

describe('rows', () => {
  const kinds = (messages: ChatMessage[], leftOff: number | null = null) =>
    toRows(toSlots(messages), leftOff).map((row) =>
      row.kind === 'slot' ? [row.key, row.continues] : row.kind,
    )

  test('a line stands where one left off, and a name after it', () => {
    const messages = [1, 2, 3].map((seq) => message(`m${seq}`, { seq }))
    const pending = message('mine', { seq: 0, status: 'pending' })
    expect(kinds([...messages, pending], 1)).toEqual([
      'day',
      ['m1', false],
      'new',
      ['m2', false],
      ['m3', true],
      ['mine', true],
    ])
    expect(kinds(messages, 3)).not.toContain('new')
    expect(kinds([pending], 0)).not.toContain('new')
  })

  test('one author within minutes stands under one name', () => {
    expect(
      kinds([
        message('a'),
        message('b', { timestamp: '2026-05-01T10:04:00.000Z' }),
        message('c', { timestamp: '2026-05-01T10:20:00.000Z' }),
        message('d', { timestamp: '2026-05-01T10:21:00.000Z', senderId: 'bob' }),
      ]),
    ).toEqual(['day', ['a', false], ['b', true], ['c', false], ['d', false]])
  })

  test('a new day begins with a line and a name', () => {
    expect(kinds([message('a'), message('b', { timestamp: '2026-05-03T10:00:00.000Z' })])).toEqual([
      'day',
      ['a', false],
      'day',
      ['b', false],
    ])
  })
})
