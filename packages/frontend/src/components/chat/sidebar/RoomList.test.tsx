import { cleanup, render, screen } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import type { ChatMessage, RoomSummary } from '@/index'
import { RoomList } from './RoomList'

afterEach(cleanup)

const time = '2026-01-31T09:05:00.042Z'

const said = (content: string): ChatMessage => ({
  id: content,
  roomId: 'r',
  seq: 1,
  role: 'user',
  senderId: 'ann',
  content,
  state: 'complete',
  timestamp: time,
})

function show(change: Partial<RoomSummary>) {
  const position = { createdAt: time, updatedAt: time, lastSeq: 3, readSeq: 3, unread: 0 }
  render(
    <RoomList
      rooms={[{ roomId: 'r', title: 'A walk', ...position, ...change }]}
      hasMore={false}
      characters={[]}
      currentRoomId={undefined}
      hrefOf={() => '#'}
      unreadIn={() => 0}
    />,
  )
}

test('a room is shown with its newest message, unless another branch is chosen', () => {
  show({ lastMessage: said('newest') })
  expect(screen.getByText('newest')).toBeDefined()
  cleanup()
  show({ lastMessage: said('newest'), preview: said('chosen') })
  expect(screen.getByText('chosen')).toBeDefined()
  expect(screen.queryByText('newest')).toBeNull()
})
