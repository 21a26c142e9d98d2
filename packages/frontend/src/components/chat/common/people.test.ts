import { describe, expect, test } from 'vitest'
import type { ChatMessage } from '@/index'
import { authorOf, type People } from './people'

const names = { you: 'You', someone: 'Guest' }
const people: People = {
  userId: 'ann',
  characters: [{ id: 'echo', name: 'Echo' }],
  nameOf: (id) => (id === 'bob' ? 'Bob' : undefined),
}
const message = (more: Partial<ChatMessage>): ChatMessage => ({
  id: 'm',
  roomId: 'r',
  seq: 1,
  role: 'user',
  senderId: 'bob',
  content: '',
  state: 'complete',
  timestamp: '2026-05-01T10:00:00.000Z',
  ...more,
})

describe('the author of a message', () => {
  test.each<[Partial<ChatMessage>, string, string]>([
    [{ senderId: 'ann' }, 'self', 'You'],
    [{ senderId: 'bob' }, 'person', 'Bob'],
    [{ senderId: 'eve' }, 'person', 'Guest'],
    [{ role: 'character', senderId: 'echo', characterId: 'echo' }, 'character', 'Echo'],
    [{ role: 'character', senderId: 'gone' }, 'character', 'gone'],
    [{ senderId: '', status: 'pending' }, 'self', 'You'],
  ])('of %j is %s, %s', (more, kind, name) => {
    expect(authorOf(message(more), people, names)).toMatchObject({ kind, name })
  })
})
