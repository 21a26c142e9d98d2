import { expect, test } from 'vitest'
import type { ChatMessage } from '@/index'
import { seenUpTo } from './useAutoRead'

const message = (id: string, status?: ChatMessage['status']): ChatMessage => ({
  id,
  roomId: 'r',
  seq: 1,
  role: 'user',
  senderId: 'ann',
  content: '',
  state: 'complete',
  timestamp: '',
  ...(status && { status }),
})
const messages = [message('a'), message('b', 'sent'), message('c'), message('d', 'pending')]

test.each([
  [null, undefined],
  [{ messageId: 'b', isLast: false }, 'b'],
  // The end is everything that the server has, also what is shown in no place of its own.
  [{ messageId: 'b', isLast: true }, 'c'],
  [{ messageId: 'd', isLast: true }, 'c'],
  [{ messageId: 'gone', isLast: false }, undefined],
])('who sees %j has read up to %s', (inView, id) => {
  expect(seenUpTo(messages, inView)?.id).toBe(id)
})
