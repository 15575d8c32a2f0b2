import { Controller } from '@nestjs/common';
import { routes } from '@tocsin/contracts';
import { type Answer, type Call, ok, Serve } from '@tocsin/edge';
import { ChangesService } from './changes.service.ts';
import { OperationsService } from './operations.service.ts';
import { SystemService } from './system.service.ts';

@Controller()
export class SystemController {
  constructor(
    private readonly system: SystemService,
    private readonly operations: OperationsService,
    private readonly record: ChangesService,
  ) {}

  @Serve(routes.system)
  async look(): Promise<Answer> {
    return ok(await this.system.look());
  }

  @Serve(routes.changes)
  changes(call: Call<typeof routes.changes>): Promise<Answer> {
    return this.record.list(call);
  }

  @Serve(routes.operationsGet)
  operation(call: Call<typeof routes.operationsGet>): Promise<Answer> {
    return this.operations.read(call);
  }
}
