import { cleanup, render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, test } from 'vitest'
import { Markdown } from './Markdown'

afterEach(cleanup)

const show = (text: string, streaming = false) =>
  render(<Markdown text={text} streaming={streaming} />).container

describe('the text of a message', () => {
  test('is Markdown', () => {
    const shown = show('**bold** and `code`\n\n| a |\n|---|\n| b |')
    expect(shown.querySelector('strong')?.textContent).toBe('bold')
    expect(shown.querySelector('td')?.textContent).toBe('b')
  })

  test('keeps the line breaks that were typed', () => {
    const shown = show('one\ntwo *three\nfour*')
    expect(shown.querySelectorAll('br')).toHaveLength(2)
    expect(shown.querySelector('p')?.textContent).toBe('one\ntwo three\nfour')
  })

  test.each([
    '<script>window.broken = true</script>',
    '<img src=x onerror="window.broken = true">',
    'a <b onclick="x()">b</b>',
    '<iframe src="https://example.org"></iframe>',
    '<style>* { display: none }</style>',
  ])('shows HTML as the text it is: %s', (html) => {
    const shown = show(html)
    expect(shown.querySelector('script, img, b, iframe, style')).toBeNull()
    expect(shown.textContent).toContain(html)
  })

  test('opens links elsewhere, without a word on where one came from', () => {
    show('[there](https://example.org/a)')
    const link = screen.getByRole('link', { name: 'there' })
    expect(link.getAttribute('rel')).toContain('noopener')
    expect(link.getAttribute('rel')).toContain('noreferrer')
    expect(link.getAttribute('target')).toBe('_blank')
  })

  test.each([
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](data:text/html,hi)',
    '[x](vbscript:x)',
    '<javascript:alert(1)>',
    '![x](javascript:alert(1))',
  ])('makes no link of a dangerous address: %s', (text) => {
    expect(show(text).querySelector('a')).toBeNull()
  })

  test('fetches no image: it is a link', () => {
    const shown = show('![a cat](https://example.org/cat.png)')
    expect(shown.querySelector('img')).toBeNull()
    const link = screen.getByRole('link', { name: 'Image: a cat' })
    expect(link.getAttribute('href')).toBe('https://example.org/cat.png')
  })

  test('says that it is Korean where it is', () => {
    expect(show('안녕 all').querySelector('[lang="ko"]')).not.toBeNull()
    expect(show('hello').querySelector('[lang]')).toBeNull()
  })

  test('offers to copy a block of code, without its last line break', async () => {
    const user = userEvent.setup()
    const shown = show('```ts\nconst a = 1\n  a < 2\n```')
    expect(shown.querySelector('.md-code')?.textContent).toContain('ts')
    await user.click(screen.getByRole('button', { name: 'Copy code' }))
    expect(await navigator.clipboard.readText()).toBe('const a = 1\n  a < 2')
    expect(await screen.findByRole('button', { name: 'Copied' })).toBeDefined()
  })
})

describe('the typing cursor', () => {
  test.each([
    ['', 'md'],
    ['text', 'P'],
    ['one\n\n- two\n- three', 'LI'],
    ['> quoted', 'P'],
    ['```\ncode', 'CODE'],
    ['| a |\n|---|\n| b |', 'TD'],
    ['**bold**', 'P'],
  ])('stands at the end of the text: %j', (text, place) => {
    const cursor = show(text, true).querySelectorAll('.typing-cursor')
    expect(cursor).toHaveLength(1)
    const parent = cursor[0]?.parentElement
    expect([parent?.tagName, parent?.className]).toContain(place)
    expect(cursor[0]?.nextSibling).toBeNull()
  })

  test('goes with the end of the answer', () => {
    expect(show('text').querySelector('.typing-cursor')).toBeNull()
  })
})
