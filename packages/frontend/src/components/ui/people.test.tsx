import { cleanup, render, screen } from '@testing-library/react'
import axe from 'axe-core'
import { afterEach, describe, expect, it } from 'vitest'
import { momentName, PresenceDot, PresenceLabel } from './PresenceLabel'
import { ReadReceipts } from './ReadReceipts'
import { UnreadBadge } from './UnreadBadge'

afterEach(cleanup)

/** Every rule that needs no layout: jsdom has none. */
async function expectAccessible(container: HTMLElement) {
  const { violations } = await axe.run(container, {
    rules: { 'color-contrast': { enabled: false } },
  })
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
}

describe('PresenceDot', () => {
  it.each([
    ['online', 'Online', '온라인'],
    ['away', 'Away', '자리 비움'],
    ['offline', 'Offline', '오프라인'],
    ['idle', 'Ready', '대기 중'],
    ['thinking', 'Thinking…', '생각 중…'],
    ['writing', 'Writing…', '작성 중…'],
  ] as const)('says %s to those who listen', async (status, english, korean) => {
    const { container, rerender } = render(<PresenceDot status={status} locale="en" />)
    expect(screen.getByRole('img', { name: english }).dataset['status']).toBe(status)
    rerender(<PresenceDot status={status} locale="ko-KR" />)
    screen.getByRole('img', { name: korean })
    await expectAccessible(container)
  })
})

describe('PresenceLabel', () => {
  it('says when somebody was last seen who is offline, where one may know it', async () => {
    const lastSeen = '2024-05-03T10:00:00.000Z'
    const { container, rerender } = render(
      <PresenceLabel status="offline" lastSeen={lastSeen} locale="en" />,
    )
    expect(container.textContent).toMatch(/^Last seen May 3, 2024/)
    expect(container.querySelector('time')?.dateTime).toBe(lastSeen)
    await expectAccessible(container)
    rerender(<PresenceLabel status="offline" locale="ko" />)
    expect(container.textContent).toBe('오프라인')
    rerender(<PresenceLabel status="online" lastSeen={lastSeen} locale="en" />)
    expect(container.textContent).toBe('Online')
  })

  it('names the day only where it is another, and the year likewise', () => {
    const now = new Date(2026, 4, 3, 12)
    const at = (...parts: [number, number, number, number]) =>
      momentName(new Date(...parts).toISOString(), now, 'en')
    expect(at(2026, 4, 3, 9)).toMatch(/^9:00/)
    expect(at(2026, 4, 2, 9)).toMatch(/^May 2, 9:00/)
    expect(at(2025, 4, 2, 9)).toMatch(/^May 2, 2025/)
    expect(momentName('nonsense', now, 'en')).toBe('nonsense')
  })
})

describe('ReadReceipts', () => {
  const nobody = { users: [], characters: [] }

  it('says nothing of what is on its way', () => {
    const { container, rerender } = render(
      <ReadReceipts receipt={{ state: 'pending', ...nobody }} />,
    )
    expect(container.innerHTML).toBe('')
    rerender(<ReadReceipts receipt={{ state: 'failed', ...nobody }} />)
    expect(container.innerHTML).toBe('')
  })

  it('says that it is stored, and who has read it', async () => {
    const { container, rerender } = render(
      <ReadReceipts receipt={{ state: 'stored', ...nobody }} locale="en" />,
    )
    screen.getByTitle('Sent')
    const read = { state: 'read', users: ['ann'], characters: ['echo'] } as const
    rerender(<ReadReceipts receipt={read} names={['Ann', 'Echo']} locale="en" />)
    screen.getByTitle('Read by Ann, Echo')
    rerender(<ReadReceipts receipt={read} locale="ko" />)
    screen.getByTitle('2명이 읽음')
    await expectAccessible(container)
  })
})

describe('UnreadBadge', () => {
  it('counts, up to a point, and is not there where nothing is unread', async () => {
    const { container, rerender } = render(<UnreadBadge count={0} locale="en" />)
    expect(container.innerHTML).toBe('')
    rerender(<UnreadBadge count={1} locale="en" />)
    screen.getByText('1 new message')
    rerender(<UnreadBadge count={100} locale="en" />)
    expect(container.textContent).toBe('99+100 new messages')
    await expectAccessible(container)
  })
})
