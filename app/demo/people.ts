/** Invented customers, riders, phones and one-time passwords. Any likeness to real people is chance. */
import type { Random } from '../../engine/index.ts'
import { between, pick, pickWeighted } from './chance.ts'

const firstNames = [
  'Asha',
  'Ravi',
  'Fatima',
  'Joseph',
  'Meera',
  'Arjun',
  'Lakshmi',
  'Imran',
  'Priya',
  'Harpreet',
  'Ananya',
  'Vikram',
  'Sunita',
  'Deepak',
  'Nisha',
  'Tenzin',
  'Kavya',
  'Rohan',
  'Zoya',
  'Suresh',
] as const
const lastNames = [
  'Verma',
  'Kumar',
  'Sheikh',
  "D'Souza",
  'Iyer',
  'Singh',
  'Reddy',
  'Khan',
  'Patel',
  'Das',
  'Nair',
  'Ghosh',
  'Joshi',
  'Lepcha',
  'Rao',
  'Fernandes',
] as const
const streets = [
  'MG Road',
  'Station Road',
  'Park Street',
  'Lake View Road',
  'Temple Street',
  'Ring Road',
] as const

/** Name, first half of the postal code, and how many live there. */
type City = readonly [{ readonly name: string; readonly pin: number }, number]

const cities: readonly [City, ...City[]] = [
  [{ name: 'Mumbai', pin: 400 }, 5],
  [{ name: 'Delhi', pin: 110 }, 4],
  [{ name: 'Bengaluru', pin: 560 }, 4],
  [{ name: 'Pune', pin: 411 }, 3],
  [{ name: 'Chennai', pin: 600 }, 2],
  [{ name: 'Kolkata', pin: 700 }, 2],
  [{ name: 'Jaipur', pin: 302 }, 1],
]

export const personName = (random: Random): string => `${pick(random, firstNames)} ${pick(random, lastNames)}`

/** An Indian mobile number. Most systems store it in full, some people leave the country code out. */
export function phone(random: Random): string {
  const national = `${between(random, 6, 9)}${String(between(random, 0, 999_999_999)).padStart(9, '0')}`
  return random.next() < 0.9 ? `+91${national}` : national
}

/** Four or six digits, leading zeros included. */
export function otp(random: Random): string {
  const digits = random.next() < 0.7 ? 4 : 6
  return String(between(random, 0, 10 ** digits - 1)).padStart(digits, '0')
}

/** Where an order goes; a few cities get most. */
export function home(random: Random): { city: string; address: string } {
  const city = pickWeighted(random, cities)
  const street = `${between(random, 1, 180)} ${pick(random, streets)}`
  return {
    city: city.name,
    address: `${street}, ${city.name} ${city.pin}${String(between(random, 1, 99)).padStart(3, '0')}`,
  }
}
