import { afterEach, expect, test, vi } from 'vitest'
import { copyText } from './copy'

afterEach(() => vi.unstubAllGlobals())

test('copies by a selection where the page is not served securely, and gives the focus back', async () => {
  vi.stubGlobal('navigator', {})
  const copied: string[] = []
  document.execCommand = () => {
    copied.push(document.querySelector('textarea')?.value ?? '')
    return true
  }
  const button = document.body.appendChild(document.createElement('button'))
  button.focus()
  expect(await copyText('some text')).toBe(true)
  expect(copied).toEqual(['some text'])
  expect(document.activeElement).toBe(button)
  expect(document.querySelector('textarea')).toBeNull()
  button.remove()
})

test('says when copying is not allowed', async () => {
  vi.stubGlobal('navigator', {})
  document.execCommand = () => {
    throw new Error('not here')
  }
  expect(await copyText('some text')).toBe(false)
})
