import { expect, test } from 'vitest'
import { expectAccessible } from './support/axe'
import type { Person } from './support/person'
import { setStage } from './support/stage'

const stage = setStage()
const RICH =
  '# Title\n\n[link](https://example.org) `code`\n\n> quote\n\n```ts\nconst a = 1\n```\n\n| a |\n|---|\n| b |'

async function expectNoSidewaysScroll({ page }: Person): Promise<void> {
  expect(
    await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
  ).toBeLessThanOrEqual(0)
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [device, viewport] of [
    ['desktop', { width: 1280, height: 800 }],
    ['phone', { width: 390, height: 844 }],
  ] as const) {
    test(`every screen is accessible: ${colorScheme}, ${device}`, async () => {
      const ann = await stage.person({ colorScheme, viewport })
      await ann.page.goto('/')
      await ann.page.getByRole('button', { name: 'Start chatting' }).waitFor()
      await expectAccessible(ann.page)

      await ann.signIn('Ann')
      await expectAccessible(ann.page)
      const address = await ann.startChat()
      await ann.page.getByRole('heading', { name: 'Echo' }).waitFor()
      await expectAccessible(ann.page)

      await ann.say(RICH)
      await ann.messages('complete').nth(1).waitFor()
      await expectAccessible(ann.page)
      await ann.page.getByRole('button', { name: 'Another answer' }).click()
      await ann.page.getByText('Answer 2 of 2').waitFor()
      await ann.say('/fail 3')
      await ann.messages('failed').waitFor()
      await ann.say('/count 1000 20')
      await ann.messages('streaming').waitFor()
      await expectAccessible(ann.page)
      await ann.page.getByRole('button', { name: 'Stop the answer' }).click()
      await ann.messages('stopped').waitFor()
      await ann.page.getByRole('button', { name: '1 member' }).click()
      await expectAccessible(ann.page)
      await ann.page.keyboard.press('Escape')

      const second = await stage.person({ session: await ann.session() })
      await second.open(address)
      await ann.dialog.waitFor()
      await expectAccessible(ann.page)
      await ann.page.keyboard.press('Escape')
      await ann.banner.waitFor()
      await ann.say('not sent yet')
      await ann.message('not sent yet').waitFor()
      await expectAccessible(ann.page)
    })
  }
}

test('Korean for a Korean browser, and English on request', async () => {
  const jimin = await stage.person({ locale: 'ko-KR' })
  await jimin.page.goto('/')
  await jimin.page.getByRole('button', { name: '대화 시작하기' }).waitFor()
  expect(await jimin.page.locator('html').getAttribute('lang')).toBe('ko')
  await jimin.signIn('지민')
  const address = await jimin.startChat()
  await jimin.say('안녕하세요')
  await jimin.page.getByRole('button', { name: '다른 답변' }).waitFor()
  await expectAccessible(jimin.page)

  const second = await stage.person({ locale: 'ko-KR', session: await jimin.session() })
  await second.open(address)
  await jimin.dialog
    .getByText(/다른 기기에서/)
    .first()
    .waitFor()
  await jimin.page.keyboard.press('Escape')

  await second.openSettings()
  await second.page.getByLabel('언어').selectOption('en')
  await second.page.getByRole('button', { name: 'Sign out' }).waitFor()
  expect(await second.page.locator('html').getAttribute('lang')).toBe('en')
  await second.page.reload()
  await second.page.getByRole('button', { name: 'Sign out' }).waitFor()
})

test('a chosen appearance stays', async () => {
  const ann = await stage.person({ colorScheme: 'light' })
  const background = () =>
    ann.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
  await ann.signIn('Ann')
  const light = await background()
  await ann.openSettings()
  await ann.page.getByLabel('Appearance').selectOption('dark')
  await expect.poll(background).not.toBe(light)
  const dark = await background()
  await ann.page.reload()
  await ann.newChatButton('Echo').waitFor()
  expect(await background()).toBe(dark)
})

test('the page fits a narrow phone', async () => {
  const ann = await stage.person({
    viewport: { width: 320, height: 568 },
    hasTouch: true,
    isMobile: true,
  })
  await ann.page.goto('/')
  await ann.page.getByRole('button', { name: 'Start chatting' }).waitFor()
  await expectNoSidewaysScroll(ann)
  await ann.signIn('A name as long as names are allowed to be, or very nearly so')
  await expectNoSidewaysScroll(ann)
  await ann.startChat()
  expect(await ann.newChatButton('Echo').count()).toBe(0)
  await expect.poll(() => ann.page.evaluate(() => document.activeElement?.id)).toBe('main')
  await ann.say(`${RICH}\n\n${'unbroken'.repeat(40)}`)
  await ann.messages('complete').nth(1).waitFor()
  await expectNoSidewaysScroll(ann)
  const sizes = await ann.page
    .locator('textarea')
    .evaluate((field) => Number.parseFloat(getComputedStyle(field).fontSize))
  expect(sizes).toBeGreaterThanOrEqual(16)
  await ann.page.getByRole('link', { name: 'Back to your chats' }).click()
  await ann.newChatButton('Echo').waitFor()
})

test('the keyboard is enough', async () => {
  const ann = await stage.person()
  const { keyboard } = ann.page
  const focused = () =>
    ann.page.evaluate(() => {
      const element = document.activeElement
      return element?.getAttribute('aria-label') || element?.textContent || element?.tagName || ''
    })
  const tabTo = async (name: string | RegExp) => {
    for (let steps = 0; steps < 40; steps++) {
      await keyboard.press('Tab')
      if ((await focused()).match(name)) return
    }
    throw new Error(`Nothing called ${name} can be reached`)
  }
  await ann.page.goto('/')
  await ann.page.getByLabel('Your name').waitFor()
  await tabTo('INPUT')
  await keyboard.type('Ann')
  await keyboard.press('Enter')
  await ann.newChatButton('Echo').waitFor()
  await tabTo(/^EEchoAnswers/)
  await keyboard.press('Enter')
  await ann.composer.waitFor()
  await expect.poll(focused).toBe('Message')
  await keyboard.type('one')
  await keyboard.press('Shift+Enter')
  await keyboard.type('two')
  await keyboard.press('Enter')
  await ann.messages('complete').nth(1).waitFor()
  expect(await ann.texts()).toEqual(['one\ntwo', 'one\ntwo'])

  await keyboard.press('Shift+Tab')
  await keyboard.press('Shift+Tab')
  expect(await focused()).not.toBe('Message')
  await tabTo('Message')
  await ann.page.reload()
  await ann.messages('complete').nth(1).waitFor()
  await ann.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
  await tabTo('Skip to the conversation')
  await keyboard.press('Enter')
  await expect.poll(focused).toMatch(/Echo/)
  await tabTo('Another answer')
  await keyboard.press('Enter')
  await ann.page.getByText('Answer 2 of 2').waitFor()
})

test('the composer leaves Enter to a composing input method', async () => {
  const ann = await stage.person()
  await ann.signIn('Ann')
  await ann.startChat()
  await ann.composer.focus()
  const devtools = await ann.context.newCDPSession(ann.page)
  await devtools.send('Input.imeSetComposition', {
    text: '안녕',
    selectionStart: 2,
    selectionEnd: 2,
  })
  await devtools.send('Input.dispatchKeyEvent', {
    type: 'rawKeyDown',
    key: 'Enter',
    code: 'Enter',
    windowsVirtualKeyCode: 229,
  })
  expect(await ann.messages().count()).toBe(0)
  await devtools.send('Input.insertText', { text: '안녕' })
  await ann.page.keyboard.press('Enter')
  await ann.message('안녕').nth(1).waitFor()
  expect((await ann.texts()).filter((text) => text === '안녕')).toHaveLength(2)
})
