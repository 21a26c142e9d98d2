import { describe, expect, test } from 'vitest'
import { en } from './en'
import { ko } from './ko'
import { detectLocale } from './locale'

describe('the language of the page', () => {
  test.each([
    [['ko-KR', 'en-US'], 'ko'],
    [['ko'], 'ko'],
    [['en-GB', 'ko'], 'en'],
    [['fr-FR', 'ko-KR', 'en'], 'ko'],
    [['kok-IN'], 'en'],
    [['fr'], 'en'],
    [[], 'en'],
  ] as const)('of a browser that asks for %j is %s', (languages, locale) => {
    expect(detectLocale(languages)).toBe(locale)
  })

  test('what the server refuses is said in Korean, too', () => {
    const said = 'You are not a member of this room.'
    expect(en.serverSaid('forbidden', said)).toBe(said)
    expect(ko.serverSaid('forbidden', said)).toBe('권한이 없습니다.')
    expect(ko.serverSaid('invalid_payload', 'No JSON.')).toMatch(/^[가-힣 ]+\. \(No JSON\.\)$/)
    expect(ko.serverSaid('something new', said)).toBe(said)
  })

  test('Korean says everything that English says, and in Korean', () => {
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      expect(typeof ko[key]).toBe(typeof en[key])
      const sentence = ko[key]
      if (typeof sentence === 'string') expect(sentence).toMatch(/[가-힣]/)
    }
  })
})
