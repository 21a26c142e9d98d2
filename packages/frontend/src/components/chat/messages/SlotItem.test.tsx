import { cleanup, render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { ChatMessage } from '@/index'
import { en } from '../i18n/en'
import { SlotItem, type SlotItemProps } from './SlotItem'

afterEach(cleanup)

const message = (id: string, more: Partial<ChatMessage> = {}): ChatMessage => ({
  id,
  roomId: 'r',
  seq: 1,
  role: 'character',
  senderId: 'echo',
  characterId: 'echo',
  content: id,
  state: 'complete',
  timestamp: '2026-05-01T10:00:00.000Z',
  replyTo: 'q',
  ...more,
})

function show(
  variants: ChatMessage[],
  more: Partial<SlotItemProps> = {},
  beside: readonly string[] = [],
) {
  const handlers = {
    onRetry: vi.fn(),
    onDiscard: vi.fn(),
    onRegenerate: vi.fn(),
    onContinue: vi.fn(),
    onChoose: vi.fn(),
    onEdit: vi.fn().mockResolvedValue(true),
    onDelete: vi.fn(),
    onPrompt: vi.fn(),
    limitBytes: 1000,
  }
  const people = {
    userId: 'ann',
    characters: [
      { id: 'echo', name: 'Echo' },
      { id: 'parrot', name: 'Parrot', prompts: false as const },
    ],
    nameOf: (id: string) => (id === 'bob' ? 'Bob' : undefined),
  }
  const view = (now: ChatMessage[]) => (
    <SlotItem
      slot={{ key: 'k', variants: now, beside }}
      continues={false}
      people={people}
      streamingText={undefined}
      thoughts={undefined}
      failures={new Map()}
      handlers={handlers}
      readers=""
      mayRegenerate={true}
      answersMe={true}
      {...more}
    />
  )
  const { rerender } = render(view(variants))
  return {
    handlers,
    user: userEvent.setup(),
    rerender: (now: ChatMessage[]) => rerender(view(now)),
  }
}

describe('a place in the conversation', () => {
  test('shows the newest answer, and the others on request', async () => {
    const { user, rerender } = show([message('first'), message('second')])
    expect(screen.getByText('second')).toBeDefined()
    await user.click(screen.getByRole('button', { name: 'Previous answer' }))
    expect(screen.getByText('first')).toBeDefined()
    expect(screen.queryByText('second')).toBeNull()

    rerender([message('first'), message('second'), message('third')])
    expect(screen.getByText('Answer 1 of 3')).toBeDefined()
  })

  test('one at the newest answer is shown a newer one', () => {
    const { rerender } = show([message('first')])
    rerender([message('first'), message('second')])
    expect(screen.getByText('second')).toBeDefined()
  })

  test('asks for another answer to the one that is shown', async () => {
    const { user, handlers } = show([message('first')])
    await user.click(screen.getByRole('button', { name: 'Another answer' }))
    expect(handlers.onRegenerate.mock.calls).toEqual([['first']])
  })

  test('offers no other answer while one runs', () => {
    show([message('a', { state: 'streaming' })], { streamingText: 'so far' })
    expect(screen.getByText('so far')).toBeDefined()
    expect(screen.queryByRole('button', { name: 'Another answer' })).toBeNull()
  })

  test.each([
    ['stopped', 'Stopped'],
    ['failed', 'The answer failed'],
    ['interrupted', 'The answer was interrupted'],
  ] as const)('says how an answer ended: %s', (state, sentence) => {
    show([message('text', { state })])
    expect(screen.getByText('text')).toBeDefined()
    expect(screen.getByText(sentence)).toBeDefined()
  })

  test.each([
    ['character_failed', 'The cat is asleep.', 'The answer failed: The cat is asleep.'],
    ['character_failed', '', 'The answer failed'],
    ['rate_limited', 'Slower.', en.failedBusy],
    ['not_found', 'Gone.', en.failedGone],
    ['unavailable', 'Later.', en.failedUnavailable],
    ['internal', 'Inside.', 'The answer failed'],
  ] as const)('says why an answer failed: %s, "%s"', (code, error, sentence) => {
    show([message('text', { state: 'failed' })], { failures: new Map([['text', { code, error }]]) })
    expect(screen.getByText(sentence)).toBeDefined()
  })

  test.each(['failed', 'interrupted'] as const)(
    'one that is %s may be tried again',
    async (state) => {
      const { user, handlers } = show([message('text', { state })])
      await user.click(screen.getByRole('button', { name: 'Try again' }))
      expect(handlers.onRegenerate.mock.calls).toEqual([['text']])
    },
  )

  test('lets a message that was not sent be sent again or discarded', async () => {
    const own = { role: 'user', senderId: 'ann', status: 'failed' } as const
    const { user, handlers } = show([message('mine', own)])
    await user.click(screen.getByRole('button', { name: 'Send again' }))
    expect(handlers.onRetry.mock.calls).toEqual([['mine']])
    await user.click(screen.getByRole('button', { name: 'Discard' }))
    expect(handlers.onDiscard.mock.calls).toEqual([['mine']])
  })

  test('folds away what a character thinks, and folds it again when it answers', async () => {
    const running = message('a', { content: '', state: 'streaming' })
    const { user, rerender } = show([running], { thoughts: 'They greet me.' })
    const opened = () => screen.getByRole('group').hasAttribute('open')
    expect(opened()).toBe(false)
    await user.click(screen.getByText('Thinking …'))
    expect(opened()).toBe(true)
    expect(screen.getByText('They greet me.')).toBeDefined()

    rerender([{ ...running, content: 'Hello' }])
    expect(screen.getByText('Thoughts')).toBeDefined()
    expect(opened()).toBe(false)

    rerender([{ ...running, content: 'Hello.', state: 'complete' }])
    expect(screen.queryByText('They greet me.')).toBeNull()
  })

  test('offers what the model was asked, to who asked for the answer', async () => {
    const { user, handlers } = show([message('a')])
    await user.click(screen.getByRole('button', { name: 'Show the prompt' }))
    expect(handlers.onPrompt.mock.calls).toEqual([['a']])
    cleanup()
    show([message('a')], { answersMe: false })
    expect(screen.queryByRole('button', { name: 'Show the prompt' })).toBeNull()
  })

  test('offers no prompt of a character that has none', () => {
    show([message('a', { characterId: 'parrot', senderId: 'parrot' })])
    expect(screen.getByRole('button', { name: 'Continue' })).toBeDefined()
    expect(screen.queryByRole('button', { name: 'Show the prompt' })).toBeNull()
  })

  test('names those who have read', () => {
    show([message('mine', { role: 'user', senderId: 'ann' })], { readers: 'bob eve' })
    expect(screen.getByText('Read').title).toBe('Read by Bob, Guest')
  })

  test('leads to what stands beside it, by buttons and by keys', async () => {
    const { user, handlers } = show([message('second')], {}, ['first', 'second', 'third'])
    expect(screen.getByText('Answer 2 of 3')).toBeDefined()
    await user.click(screen.getByRole('button', { name: 'Previous answer' }))
    await user.keyboard('{ArrowRight}')
    expect(handlers.onChoose.mock.calls).toEqual([['first'], ['third']])
  })

  test('has nothing beyond the first and the last', async () => {
    const { user, handlers } = show([message('first')], {}, ['first', 'second'])
    await user.click(screen.getByRole('button', { name: 'Previous answer' }))
    expect(handlers.onChoose).not.toHaveBeenCalled()
  })

  test('a greeting is neither asked for again nor goes on', () => {
    const { replyTo: _, ...greeting } = message('hello')
    show([greeting], { answersMe: false }, ['hello', 'hi'])
    expect(screen.getByText('Greeting 1 of 2')).toBeDefined()
    expect(screen.queryByRole('button', { name: 'Another answer' })).toBeNull()
    expect(screen.queryByRole('button', { name: 'Continue' })).toBeNull()
  })

  test('an answer goes on', async () => {
    const { user, handlers } = show([message('first')])
    await user.click(screen.getByRole('button', { name: 'Continue' }))
    expect(handlers.onContinue.mock.calls).toEqual([['first']])
  })
})

describe('an own message', () => {
  const own = (id: string) => message(id, { role: 'user', senderId: 'ann' })

  test('is changed in its place, and Escape leaves it as it is', async () => {
    const { user, handlers } = show([own('before')])
    await user.click(screen.getByRole('button', { name: 'Edit' }))
    const field = screen.getByRole('textbox', { name: 'Change your message' })
    expect(document.activeElement).toBe(field)
    await user.type(field, ' and after')
    await user.keyboard('{Escape}')
    expect(screen.getByText('before')).toBeDefined()
    expect(handlers.onEdit).not.toHaveBeenCalled()

    await user.click(screen.getByRole('button', { name: 'Edit' }))
    await user.type(screen.getByRole('textbox'), ' and after{Enter}')
    expect(handlers.onEdit.mock.calls).toEqual([['before', 'before and after']])
    expect(screen.queryByRole('textbox')).toBeNull()
  })

  test('that could not be changed stays open', async () => {
    const { user, handlers } = show([own('before')])
    handlers.onEdit.mockResolvedValue(false)
    await user.click(screen.getByRole('button', { name: 'Edit' }))
    await user.type(screen.getByRole('textbox'), '!{Enter}')
    expect(screen.getByRole('textbox')).toHaveProperty('value', 'before!')
  })

  test('is deleted only after a question', async () => {
    const { user, handlers } = show([own('mine')])
    await user.click(screen.getByRole('button', { name: 'Delete' }))
    expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Cancel' }))
    await user.keyboard('{Escape}')
    expect(handlers.onDelete).not.toHaveBeenCalled()
    await user.click(screen.getByRole('button', { name: 'Delete' }))
    await user.click(screen.getByRole('button', { name: 'Delete for good' }))
    expect(handlers.onDelete.mock.calls).toEqual([['mine']])
  })

  test('that was deleted says so, and can neither be changed nor deleted', () => {
    show([{ ...own('mine'), content: '', deletedAt: '2026-05-01T10:00:00.000Z' }])
    expect(screen.getByText('Deleted')).toBeDefined()
    expect(screen.queryByRole('button')).toBeNull()
  })

  test.each([
    ['of somebody else', { senderId: 'bob' }],
    ['on its way', { status: 'pending' }],
  ] as const)('one %s can neither be changed nor deleted', (_, change) => {
    show([{ ...own('mine'), ...change }])
    expect(screen.queryByRole('button', { name: 'Edit' })).toBeNull()
    expect(screen.queryByRole('button', { name: 'Delete' })).toBeNull()
  })
})
