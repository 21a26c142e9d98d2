import { expect, test } from 'vitest'
import { expectAccessible } from './support/axe'
import { setStage } from './support/stage'

const stage = setStage()

test('a slow line is told by the bars, and an answer over it is whole', async () => {
  const ann = await stage.person()
  let delayMs = 0
  let beats = 0
  const typed: string[] = []
  await ann.page.routeWebSocket(/socket\.io/, (page) => {
    const server = page.connectToServer()
    page.onMessage((frame) => {
      const text = String(frame)
      if (text.includes('"typing:start"')) typed.push(text)
      if (text.includes('"heartbeat"')) setTimeout(() => server.send(frame), delayMs)
      else server.send(frame)
    })
    server.onMessage((frame) => {
      if (String(frame).includes('"heartbeat:ack"')) beats += 1
      page.send(frame)
    })
  })
  await ann.signIn('Ann')
  await ann.startChat()
  const bars = ann.page.locator('.rejoinder-quality')
  await expect.poll(() => bars.getAttribute('data-quality')).toBe('good')

  delayMs = 1_500
  // Each time the network comes back the page looks whether the connection lives.
  await expect
    .poll(
      async () => {
        const before = beats
        await ann.page.evaluate(() => window.dispatchEvent(new Event('online')))
        await expect.poll(() => beats, { timeout: 20_000 }).toBeGreaterThan(before)
        return bars.getAttribute('data-quality')
      },
      { timeout: 50_000 },
    )
    .toBe('poor')
  await bars.click()
  await ann.page.getByText('No message is lost').waitFor()
  await expectAccessible(ann.page)
  await ann.page.keyboard.press('Escape')

  const before = typed.length
  await ann.say('/count 30 40')
  const whole = Array.from({ length: 30 }, (_, at) => at + 1).join(' ')
  await ann.message(whole).waitFor()
  expect(typed.length).toBe(before)
})

test('the banner tells a device that is offline from a server that is away', async () => {
  const ann = await stage.person()
  ann.foreseeOutage()
  ann.foresee(/ERR_INTERNET_DISCONNECTED/)
  await ann.signIn('Ann')
  await ann.context.setOffline(true)
  await ann.banner.getByText('Your device is offline').waitFor()
  await expectAccessible(ann.page)
  await ann.context.setOffline(false)
  await ann.banner.waitFor({ state: 'detached' })

  await stage.server.kill()
  await ann.banner.getByText('The server cannot be reached').waitFor()
  await expectAccessible(ann.page)
  await stage.server.start()
  await ann.banner.waitFor({ state: 'detached' })
})
