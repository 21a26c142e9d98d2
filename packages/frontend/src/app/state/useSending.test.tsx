import { act, renderHook } from '@testing-library/react'
import { useState } from 'react'
import { expect, test, vi } from 'vitest'
import { useSending } from './useSending'

function setUp(isKnown: boolean) {
  const send = vi.fn<(text: string) => void>()
  const hook = renderHook(
    (props: { isKnown: boolean }) => useSending(useState(''), props.isKnown, send),
    { initialProps: { isKnown } },
  )
  return {
    send,
    type: (text: string) => act(() => hook.result.current.onDraft(text)),
    press: () => act(() => hook.result.current.onSend()),
    learn: () => hook.rerender({ isKnown: true }),
    get draft() {
      return hook.result.current.draft
    },
  }
}

test('a draft is sent without its margins, and is gone then', () => {
  const page = setUp(true)
  page.type(' hello ')
  page.press()
  expect(page.send.mock.calls).toEqual([['hello']])
  expect(page.draft).toBe('')
})

test('a draft waits in sight until it is known with whom one talks', () => {
  const page = setUp(false)
  page.type('hello')
  page.press()
  expect(page.send).not.toHaveBeenCalled()
  expect(page.draft).toBe('hello')
  page.learn()
  expect(page.send.mock.calls).toEqual([['hello']])
  expect(page.draft).toBe('')
})

test('to go on writing takes the wish to send back', () => {
  const page = setUp(false)
  page.type('hello')
  page.press()
  page.type('hello, and')
  page.learn()
  expect(page.send).not.toHaveBeenCalled()
  expect(page.draft).toBe('hello, and')
})
