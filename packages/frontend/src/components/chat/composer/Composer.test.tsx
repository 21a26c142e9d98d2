import { cleanup, createEvent, fireEvent, render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { useState } from 'react'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Composer, type ComposerProps } from './Composer'

afterEach(cleanup)

interface PageProps extends Omit<ComposerProps, 'text' | 'onChange' | 'onSend' | 'placeholder'> {
  onSend: (text: string) => void
}

function Page({ onSend, ...props }: PageProps) {
  const [text, setText] = useState('')
  const take = () => {
    onSend(text)
    setText('')
  }
  return (
    <Composer {...props} text={text} onChange={setText} onSend={take} placeholder="Say something" />
  )
}

function setUp(
  options: {
    onStop?: () => void
    limitBytes?: number
    outboxNote?: ComposerProps['outboxNote']
  } = {},
) {
  const spies = {
    onSend: vi.fn<(text: string) => void>(),
    onTyping: vi.fn(),
    onTypingEnd: vi.fn(),
  }
  render(<Page {...spies} {...options} limitBytes={options.limitBytes ?? 32768} />)
  const field = screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Message' })
  return { ...spies, field, user: userEvent.setup() }
}

describe('the composer', () => {
  test('sends with Enter and is empty then', async () => {
    const { user, field, onSend } = setUp()
    await user.type(field, 'hello{Enter}')
    expect(onSend.mock.calls).toEqual([['hello']])
    expect(field.value).toBe('')
  })

  test('keeps the text while no more messages are taken, and says why', async () => {
    const { user, field, onSend } = setUp({ outboxNote: 'full' })
    await user.type(field, 'hello{Enter}')
    expect(onSend).not.toHaveBeenCalled()
    expect(field.value).toBe('hello')
    expect(screen.getByText(/Too many messages wait/)).toBeDefined()
  })

  test('sends as ever where it is only said that there is no connection', async () => {
    const { user, field, onSend } = setUp({ outboxNote: 'offline' })
    screen.getByText(/once the connection is back/)
    await user.type(field, 'hello{Enter}')
    expect(onSend.mock.calls).toEqual([['hello']])
  })

  test('makes a line with Shift and Enter', async () => {
    const { user, field, onSend } = setUp()
    await user.type(field, 'one{Shift>}{Enter}{/Shift}two')
    expect(field.value).toBe('one\ntwo')
    expect(onSend).not.toHaveBeenCalled()
  })

  test.each([
    ['isComposing', { isComposing: true }],
    ['the key code 229', { keyCode: 229 }],
  ])('leaves Enter to an input method that composes, told by %s', (_, sign) => {
    const { field, onSend } = setUp()
    fireEvent.change(field, { target: { value: '안녕' } })
    const press = createEvent.keyDown(field, { key: 'Enter', keyCode: 13, ...sign })
    fireEvent(field, press)
    expect(onSend).not.toHaveBeenCalled()
    expect(press.defaultPrevented).toBe(false)

    fireEvent.keyDown(field, { key: 'Enter', keyCode: 13 })
    expect(onSend.mock.calls).toEqual([['안녕']])
  })

  test('does not send blanks', async () => {
    const { user, field, onSend } = setUp()
    await user.type(field, '   {Enter}')
    expect(onSend).not.toHaveBeenCalled()
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Send' }).disabled).toBe(true)
  })

  test('says how much is left and refuses what is too long', async () => {
    const { user, field, onSend } = setUp({ limitBytes: 10 })
    fireEvent.change(field, { target: { value: '한글한' } })
    expect(screen.getAllByRole('status').at(-1)?.textContent).toBe('1 byte left')
    fireEvent.change(field, { target: { value: '한글한글' } })
    expect(screen.getAllByRole('status').at(-1)?.textContent).toBe('2 bytes too long')
    await user.type(field, '{Enter}')
    expect(onSend).not.toHaveBeenCalled()
    expect(field.value).toBe('한글한글')
  })

  test('tells when somebody types and when they cease', async () => {
    const { user, field, onTyping, onTypingEnd } = setUp()
    await user.type(field, 'h')
    expect(onTyping).toHaveBeenCalledOnce()
    expect(onTypingEnd).not.toHaveBeenCalled()
    await user.type(field, '{Backspace}')
    expect(onTypingEnd).toHaveBeenCalledOnce()
  })

  test('stops an answer', async () => {
    const onStop = vi.fn()
    const { user } = setUp({ onStop })
    await user.click(screen.getByRole('button', { name: 'Stop the answer' }))
    expect(onStop).toHaveBeenCalledOnce()
  })
})
