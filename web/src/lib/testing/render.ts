import { render, type RenderResult } from '@testing-library/svelte';
import type { Component, ComponentProps } from 'svelte';
import { onTestFinished } from 'vitest';
import { App } from '#lib/shell/app.svelte.ts';
import Within from './Within.svelte';

/** An app as it is before it begins; whatever it begins ends with the test. */
export function anApp(): App {
  const app = new App();
  onTestFinished(() => app.live.stop());
  return app;
}

/** Renders a component within the app. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the properties of any component at all
export function renderIn<C extends Component<any>>(
  app: App,
  component: C,
  properties: ComponentProps<C>,
): RenderResult<typeof Within> {
  return render(Within, { app, component, properties });
}
